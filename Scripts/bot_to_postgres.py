#!/usr/bin/env python3
"""Copies a bot's SQLite library (users, chats, images) into PostgreSQL tables as SQLAlchemy makes them.

    Scripts/bot_to_postgres.py LIBRARY.db | psql ADDRESS

For the demo and the tests: the bot itself would have written there.
"""
import sqlite3
import sys

TABLES = {
    "users": """
        id SERIAL PRIMARY KEY, user_id BIGINT NOT NULL UNIQUE, username VARCHAR(255), first_name VARCHAR(255),
        last_name VARCHAR(255), language_code VARCHAR(10), consent_given BOOLEAN NOT NULL DEFAULT FALSE,
        consent_given_at TIMESTAMP, banned BOOLEAN NOT NULL DEFAULT FALSE, user_group VARCHAR(100),
        admin_notes VARCHAR(1000), created_at TIMESTAMP NOT NULL DEFAULT now(), updated_at TIMESTAMP""",
    "chats": """
        id SERIAL PRIMARY KEY, chat_id BIGINT NOT NULL UNIQUE, user_id BIGINT, chat_type VARCHAR(20) NOT NULL DEFAULT 'private',
        title VARCHAR(255), current_mode VARCHAR(50) NOT NULL DEFAULT 'default', current_preset VARCHAR(50),
        created_at TIMESTAMP NOT NULL DEFAULT now(), updated_at TIMESTAMP""",
    "images": """
        id SERIAL PRIMARY KEY, chat_id INTEGER NOT NULL REFERENCES chats (id), file_id VARCHAR(255) NOT NULL,
        file_unique_id VARCHAR(255) NOT NULL UNIQUE, file_size INTEGER, original_path VARCHAR(500),
        compressed_path VARCHAR(500), width INTEGER, height INTEGER, format VARCHAR(10), analysis TEXT,
        mode_used VARCHAR(50), preset_used VARCHAR(50), embedding BYTEA, embedding_model VARCHAR(100),
        processing_status VARCHAR(20) NOT NULL, error_message TEXT, created_at TIMESTAMP NOT NULL DEFAULT now(),
        updated_at TIMESTAMP""",
}
BOOLEAN = {"consent_given", "banned"}


def text(column, value):
    """A value as COPY's text format has it."""
    if value is None:
        return "\\N"
    if column in BOOLEAN:
        return "t" if value else "f"
    if column == "embedding":
        return "\\\\x" + (value if isinstance(value, bytes) else str(value).encode()).hex()
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def main(path):
    library = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    print("BEGIN;")
    for table, definition in TABLES.items():
        print(f"CREATE TABLE {table} ({definition});")
        known = {row[1] for row in library.execute(f"PRAGMA table_info({table})")}
        wanted = [part.split()[0] for part in definition.replace("\n", " ").split(",") if part.split()[0].islower()]
        columns = [column for column in wanted if column in known]
        print(f"COPY {table} ({', '.join(columns)}) FROM stdin;")
        for row in library.execute(f"SELECT {', '.join(columns)} FROM {table}"):
            print("\t".join(text(column, value) for column, value in zip(columns, row)))
        print("\\.")
        print(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table};")
    print("COMMIT;")


if __name__ == "__main__":
    main(sys.argv[1])
