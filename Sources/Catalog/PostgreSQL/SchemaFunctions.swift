/// What a program may do that may make no table: functions that act as the owner of ours.
extension PostgresSchema {
    static let functions = [
        // The table of a space: one partition per remainder of its image's owner, exact floats in pgvector's type where
        // that is there.
        """
        CREATE OR REPLACE FUNCTION semblance.add_space(
            model text, weights_digest text, preprocessing_version bigint, dimension bigint
        ) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE
            space bigint;
            place text := (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                WHERE e.extname = 'vector');
            is_vector boolean := place IS NOT NULL AND dimension <= 16000;
            kind text := CASE WHEN is_vector THEN format('%s.vector(%s)', place, dimension) ELSE 'bytea' END;
        BEGIN
            PERFORM pg_advisory_xact_lock(7310579, 1);
            IF EXISTS (SELECT 1 FROM semblance.spaces s WHERE (s.model, s.weights_digest, s.preprocessing_version,
                s.dimension) = (add_space.model, add_space.weights_digest, add_space.preprocessing_version,
                add_space.dimension)) THEN RETURN; END IF;
            INSERT INTO semblance.spaces (model, weights_digest, preprocessing_version, dimension, is_vector)
                VALUES (model, weights_digest, preprocessing_version, dimension, is_vector) RETURNING id INTO space;
            EXECUTE format('CREATE TABLE semblance.vectors_%s (
                id bigint NOT NULL DEFAULT nextval(''semblance.vector_ids''),
                written xid8 NOT NULL DEFAULT pg_current_xact_id(),
                image_id bigint NOT NULL,
                file_unique_id text NOT NULL,
                owner bigint NOT NULL,
                published boolean NOT NULL,
                blob_digest bytea NOT NULL CHECK (length(blob_digest) = 32),
                source_digest bytea NOT NULL CHECK (length(source_digest) = 32),
                source_fingerprint text NOT NULL,
                source_size bigint,
                perceptual_hash bigint,
                run_id bigint,
                embedding %s NOT NULL,
                PRIMARY KEY (owner, image_id)) PARTITION BY HASH (owner)', space, kind);
            FOR part IN 0..3 LOOP
                EXECUTE format('CREATE TABLE semblance.vectors_%1$s_%2$s PARTITION OF semblance.vectors_%1$s
                    FOR VALUES WITH (MODULUS 4, REMAINDER %2$s)', space, part);
                EXECUTE format('ALTER TABLE semblance.vectors_%s_%s ALTER embedding SET STORAGE PLAIN', space, part);
            END LOOP;
            EXECUTE format('CREATE INDEX ON semblance.vectors_%s (image_id)', space);
            EXECUTE format('CREATE INDEX ON semblance.vectors_%s (written, id)', space);
        END $body$
        """,
        // The index of one partition; searches go on meanwhile, writes to the partition wait.
        """
        CREATE OR REPLACE FUNCTION semblance.index_space(space bigint, part integer) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE
            place text := (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                WHERE e.extname = 'vector');
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM semblance.spaces s WHERE s.id = space AND s.is_vector AND s.dimension <= 2000)
                OR part NOT BETWEEN 0 AND 3 THEN RETURN; END IF;
            EXECUTE format('DROP INDEX IF EXISTS semblance.nearest_%s_%s', space, part);
            EXECUTE format('CREATE INDEX nearest_%1$s_%2$s ON semblance.vectors_%1$s_%2$s
                USING hnsw (embedding %3$s.vector_ip_ops) WITH (m = 16, ef_construction = 100)', space, part, place);
        END $body$
        """,
        """
        CREATE OR REPLACE FUNCTION semblance.drop_index(space bigint) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            FOR part IN 0..3 LOOP EXECUTE format('DROP INDEX IF EXISTS semblance.nearest_%s_%s', space, part); END LOOP;
        END $body$
        """,
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA semblance FROM PUBLIC",
    ]
}
