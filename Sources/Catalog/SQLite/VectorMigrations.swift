import GRDB

/// The tables of the vector database, by the versions that brought them; only ever added to.
enum VectorMigrations {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 spaces, vectors, failures, runs") { db in
            try db.execute(sql: first)
        }
        migrator.registerMigration("2 what the pictures look like") { db in
            try db.execute(sql: second)
        }
        migrator.registerMigration("3 what the model answers to known pictures") { db in
            try db.execute(sql: third)
        }
        return migrator
    }

    /// `vectors.id` never comes again, so that an index row of a replaced vector can never pass for the new one.
    private static let first = """
        CREATE TABLE spaces (
            id INTEGER PRIMARY KEY,
            model TEXT NOT NULL,
            weights_digest TEXT NOT NULL,
            preprocessing_version INTEGER NOT NULL,
            dimension INTEGER NOT NULL CHECK (dimension > 0),
            activation INTEGER NOT NULL,
            UNIQUE (model, weights_digest, preprocessing_version, dimension)
        ) STRICT;
        CREATE TABLE vectors (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            space_id INTEGER NOT NULL REFERENCES spaces (id),
            image_id INTEGER NOT NULL,
            file_unique_id TEXT NOT NULL,
            owner INTEGER,
            published INTEGER NOT NULL CHECK (published IN (0, 1)),
            blob_digest BLOB NOT NULL CHECK (length(blob_digest) = 32),
            source_digest BLOB NOT NULL CHECK (length(source_digest) = 32),
            source_fingerprint TEXT NOT NULL,
            run_id INTEGER NOT NULL REFERENCES runs (id),
            blob BLOB NOT NULL CHECK (length(blob) > 4)
        ) STRICT;
        CREATE UNIQUE INDEX vectors_by_image ON vectors (space_id, image_id);
        CREATE INDEX vectors_for_survey ON vectors (space_id, image_id, file_unique_id, published, blob_digest);
        CREATE TABLE failures (
            space_id INTEGER NOT NULL REFERENCES spaces (id),
            image_id INTEGER NOT NULL,
            file_unique_id TEXT NOT NULL,
            class TEXT NOT NULL,
            fingerprint TEXT,
            attempts INTEGER NOT NULL CHECK (attempts > 0),
            next_attempt REAL,
            message TEXT NOT NULL,
            PRIMARY KEY (space_id, image_id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            space_id INTEGER NOT NULL REFERENCES spaces (id),
            started_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')),
            ended_at TEXT,
            embedded INTEGER NOT NULL DEFAULT 0,
            failed INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        """

    /// Vectors of the first version have neither until `generate` has seen their files again.
    private static let second = """
        ALTER TABLE vectors ADD COLUMN source_size INTEGER;
        ALTER TABLE vectors ADD COLUMN perceptual_hash INTEGER;
        """

    /// What a model gave for the pictures that are built in, when its space was begun.
    private static let third = """
        CREATE TABLE known_answers (
            space_id INTEGER NOT NULL REFERENCES spaces (id),
            picture INTEGER NOT NULL,
            blob BLOB NOT NULL,
            PRIMARY KEY (space_id, picture)
        ) STRICT, WITHOUT ROWID;
        """
}
