/// The bot's tables as its own program makes them, for people who have pictures and no bot.
///
/// Names, types and constraints are those of SQLAlchemy's models of the bot; a bot that is pointed at such a file finds
/// its tables there.
enum BotSchema {
    static let sql = """
        CREATE TABLE users (
            id INTEGER NOT NULL PRIMARY KEY,
            user_id INTEGER NOT NULL,
            username VARCHAR(255),
            first_name VARCHAR(255),
            last_name VARCHAR(255),
            language_code VARCHAR(10),
            consent_given BOOLEAN NOT NULL,
            consent_given_at DATETIME,
            banned BOOLEAN NOT NULL,
            user_group VARCHAR(100),
            admin_notes VARCHAR(1000),
            created_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL,
            updated_at DATETIME
        );
        CREATE UNIQUE INDEX ix_users_user_id ON users (user_id);
        CREATE TABLE chats (
            id INTEGER NOT NULL PRIMARY KEY,
            chat_id INTEGER NOT NULL,
            user_id INTEGER NOT NULL REFERENCES users (id),
            chat_type VARCHAR(20) NOT NULL,
            title VARCHAR(255),
            current_mode VARCHAR(50) NOT NULL,
            current_preset VARCHAR(50),
            claude_mode BOOLEAN NOT NULL,
            claude_model VARCHAR(20),
            auto_forward_voice BOOLEAN NOT NULL,
            settings TEXT,
            created_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL,
            updated_at DATETIME
        );
        CREATE UNIQUE INDEX ix_chats_chat_id ON chats (chat_id);
        CREATE TABLE images (
            id INTEGER NOT NULL PRIMARY KEY,
            chat_id INTEGER NOT NULL REFERENCES chats (id),
            file_id VARCHAR(255) NOT NULL,
            file_unique_id VARCHAR(255) NOT NULL,
            file_size INTEGER,
            original_path VARCHAR(500),
            compressed_path VARCHAR(500),
            width INTEGER,
            height INTEGER,
            format VARCHAR(10),
            analysis TEXT,
            mode_used VARCHAR(50),
            preset_used VARCHAR(50),
            embedding BLOB,
            embedding_model VARCHAR(100),
            processing_status VARCHAR(20) NOT NULL,
            error_message TEXT,
            created_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL,
            updated_at DATETIME
        );
        CREATE INDEX ix_images_file_id ON images (file_id);
        CREATE UNIQUE INDEX ix_images_file_unique_id ON images (file_unique_id);
        """
}
