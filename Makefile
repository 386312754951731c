# The index of everything a person may run. `make demo` and `make test` do all of their own set-up.

.PHONY: help setup build demo demo-postgres test browser-test api-test server-load bot-storm bot-compat bench-postgres workers-storm check format quality fidelity bench int8 switch soak crashes golden clean

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## Install what building needs; fetch ONNX Runtime, sqlite-vec and the small model
	Scripts/setup

build: setup ## Build the program in release
	swift build -c release --product semblance

demo: setup ## Show the whole story on a library of drawings and photographs
	Scripts/setup pictures
	swift build -c release --product semblance
	Scripts/demo

demo-postgres: setup ## Show the story at a server of PostgreSQL, with two workers
	Scripts/setup pictures postgres
	swift build -c release --product semblance
	Scripts/demo_postgres

test: setup ## Run all tests in release
	Scripts/setup browser postgres
	Scripts/test

browser-test: setup ## Use the gallery in headless Chromium; screenshots go to .screenshots
	Scripts/setup browser
	SEMBLANCE_SCREENSHOTS=$(CURDIR)/.screenshots Scripts/test --filter BrowserTests

api-test: build ## Ask the server everything its OpenAPI document allows, and more (schemathesis; minutes)
	Scripts/setup api
	Scripts/api_test

server-load: build ## Measure the server under searches, a backfill and slow connections (minutes)
	Scripts/setup load
	Scripts/server_load

check: ## Check the format of all Swift code
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

format: ## Format all Swift code
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

quality: build ## Measure how well the small model tells categories apart (about a minute)
	Scripts/setup pictures
	Scripts/quality

fidelity: build ## Compare a full-size CLIP with PyTorch, from file to vector (minutes, 3 GB)
	Scripts/fidelity

bench: ## Measure speed and memory beside Python (a quarter of an hour, 3 GB)
	Scripts/bench

bench-postgres: setup ## Measure claims, stores and search at a server of PostgreSQL (minutes)
	Scripts/bench_postgres

workers-storm: setup ## Eight workers under kills, sleeps, restarts and lost connections (a quarter of an hour)
	Scripts/setup postgres
	swift build -c release --product Benchmarks
	Scripts/workers_storm.py

int8: setup ## Measure int8 against float32 on a trained transformer (minutes)
	Scripts/int8

switch: demo ## Change the demo's model back and forth under queries and 100 kills (minutes)
	python3 Scripts/switch.py

soak: setup ## Embed 100,000 pictures and watch the memory (long)
	SEMBLANCE_SOAK_IMAGES=100000 Scripts/test --filter SoakTests

crashes: setup ## Kill the program at 2,000 system calls and 1,000 random times (long)
	SEMBLANCE_CRASH_POINTS=2000 SEMBLANCE_CRASH_TIMES=1000 Scripts/test --filter CrashTests

bot-storm: setup ## Kill the bot 50 times under 2,000 updates and a difficult Telegram (a quarter of an hour)
	SEMBLANCE_STORM_UPDATES=2000 SEMBLANCE_STORM_KILLS=50 Scripts/test --filter BotStormTests

bot-compat: build ## Have the bot talk to a mock of Telegram that somebody else wrote (telemelya; a minute)
	Scripts/setup compat
	Scripts/bot_compat

golden: ## Make the test fixtures anew with the reference implementation
	Scripts/golden

clean: ## Remove what was built and made, but not what was fetched
	rm -rf .build .demo
