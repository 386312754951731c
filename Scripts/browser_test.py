"""Uses the gallery as people do: in headless Chromium, driven over WebDriver, with the standard library alone.

    browser_test.py ADDRESS KEY PICTURE FOLDER

ADDRESS is where `semblance serve` listens with the owner's KEY; PICTURE is one that the library has. Screenshots go to
FOLDER. Prints "ok" where every step went well, no script ran that is not ours, and the console stayed empty.
"""

import base64
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request


class Browser:
    def __init__(self, profile):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                break
        self.base = f"http://127.0.0.1:{found[1]}/session"
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            "--window-size=1200,900", f"--user-data-dir={profile}"]}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self.ask("", {"capabilities": {"alwaysMatch": capabilities}})
        self.base += "/" + session["sessionId"]

    def ask(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, address):
        self.ask("/url", {"url": address})

    def run(self, script, *arguments):
        return self.ask("/execute/sync", {"script": script, "args": list(arguments)})

    def element(self, selector):
        return next(iter(self.ask("/element", {"using": "css selector", "value": selector}).values()))

    def click(self, selector):
        self.ask(f"/element/{self.element(selector)}/click", {})

    def type(self, selector, text):
        self.ask(f"/element/{self.element(selector)}/value", {"text": text})

    def wait(self, condition, what):
        for _ in range(300):
            if self.run("return " + condition):
                return
            time.sleep(0.1)
        raise AssertionError(f"{what}: {self.run('return document.body.innerText')}")

    def picture(self, folder, name):
        (folder / f"{name}.png").write_bytes(base64.b64decode(self.ask("/screenshot")))

    def console(self):
        return self.ask("/se/log", {"type": "browser"})

    def close(self):
        try:
            self.ask("", method="DELETE")
        finally:
            self.driver.kill()
            self.driver.wait(10)


LOADED = "[...document.images].filter(i => i.getBoundingClientRect().top < innerHeight).every(i => i.naturalWidth > 0)"


def walk(browser, address, key, picture, folder):
    browser.open(address + "/")
    browser.wait("location.pathname == '/login'", "no login page")
    browser.type("#key", "x" * 40)
    browser.click("button")
    browser.wait("document.querySelector('[role=alert]')", "a wrong key is not refused")
    browser.console()  # Chromium notes the refusal's status.
    browser.type("#key", key)
    browser.click("button")
    browser.wait("location.pathname == '/' && document.querySelectorAll('.tiles li').length == 60", "no grid")
    browser.wait(LOADED, "thumbnails are missing")
    browser.picture(folder, "pictures")
    hostile(browser, address)
    browser.click("a.more")
    browser.wait("location.search.startsWith('?before=')", "no second page")
    browser.open(address + "/pictures/1")
    browser.wait("document.querySelectorAll('.tiles .score').length > 3", "nothing looks like the picture")
    browser.wait(LOADED, "the picture is missing")
    browser.picture(folder, "picture")
    browser.type("#q", "a red square")
    browser.click(".words button")
    browser.wait("location.pathname == '/search' && document.querySelector('h1').innerText.includes('red')", "no search")
    browser.picture(folder, "search")
    browser.type("#picture", picture)  # The script sends the form by itself.
    browser.wait("location.pathname == '/similar' && document.querySelector('.score')?.innerText.startsWith('100')",
                 "an upload is not found")
    browser.picture(folder, "similar")
    browser.click("a[href='/duplicates']")
    browser.wait("document.querySelector('h1').innerText == 'Duplicates' && document.querySelector('section')", "no duplicates")
    browser.picture(folder, "duplicates")
    browser.click("a[href='/dashboard']")
    browser.wait("document.querySelector('meter')", "no dashboard")
    browser.click("button[value=start]")
    browser.wait("document.querySelector('#backfill').dataset.state != 'idle'", "the backfill does not begin")
    browser.picture(folder, "dashboard")
    browser.wait("document.querySelector('#backfill').dataset.state == 'done'", "the backfill does not end")
    browser.run("document.querySelector('header form[action=\"/logout\"] button').click()")
    browser.wait("location.pathname == '/login'", "logging out does not")


def hostile(browser, address):
    """Opens pages with chats whose names are scripts: they must be words on the page, and nothing else."""
    page = 0
    while True:
        assert browser.run("return window.hostile") is None, "a hostile name ran"
        extra = browser.run("return document.querySelectorAll('main script, main iframe, main svg, [onerror], [onload]').length")
        assert extra == 0, "a hostile name became an element"
        following = browser.run("return document.querySelector('a.more')?.href")
        if not following or page > 10:
            break
        browser.open(following)
        page += 1
    assert page >= 3, "the pages with hostile names were not reached"
    browser.open(address + "/")


def main():
    address, key, picture, folder = sys.argv[1:]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    browser = Browser(profile.name)
    try:
        walk(browser, address, key, picture, folder)
        console = [entry for entry in browser.console() if entry["level"] != "DEBUG"]
        assert not console, f"the console is not empty: {console}"
    finally:
        browser.close()
    print("ok")


if __name__ == "__main__":
    main()
