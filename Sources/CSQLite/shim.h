#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift cannot call. Each function below is one fixed call of it.

/// The last connection to a WAL file that closes leaves the log as it is, instead of checkpointing it.
static inline int semblance_keep_log_on_close(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

/// Lets sqlite3_load_extension work (the C function only, never the SQL function) or forbids it again.
static inline int semblance_allow_extensions(sqlite3 *db, int allowed) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, allowed, (int *)0);
}
