import ArgumentParser
import Glibc

/// The program.
@main
struct Semblance: ParsableCommand {
    static let version = "0.6.0"

    static let configuration = CommandConfiguration(
        commandName: "semblance",
        abstract: "Finds pictures that look alike in a Telegram bot's image library.",
        discussion: """
            Works beside a bot that keeps its images in an SQLite or PostgreSQL database: gives every image a vector (embedding) of \
            an image model, keeps the vectors true, says honestly how far it is, and answers what looks alike: here, over \
            HTTP, and on Telegram.

            Settings, highest first: option, environment, --env-file (default .env.local), .env, ~/.env, default.
              DATABASE_URL           the bot's database: a path, sqlite:///PATH, or
                                     postgresql://USER@HOST/NAME
                                     (data/telegram_agent.db)
              EMBEDDING_MODEL        the model's name (clip-ViT-B-32)
              EMBEDDING_PRECISION    float32, or int8 for CLIP: faster, vectors of
                                     their own (float32)
              SEMBLANCE_MODELS       the folder of model folders
              SEMBLANCE_DATABASE     our database (semblance.db beside the bot's)
              SEMBLANCE_ROOT         the folder of the bot's relative file paths
              SEMBLANCE_MEDIA_URL    the address of that folder on another machine
              SEMBLANCE_THREADS      threads of the model (one per core)
              SEMBLANCE_ONNXRUNTIME  the path of libonnxruntime.so
              SEMBLANCE_SQLITE_VEC   the path of vec0.so
              SEMBLANCE_ADDRESS      where serve listens (127.0.0.1:8000)
              SEMBLANCE_API_KEY      the key that serve wants, 32 bytes or more
              SEMBLANCE_USER_KEYS    keys for one user's images: ID:KEY,ID:KEY
              SEMBLANCE_HOST_NAMES   other names that serve answers to: a,b
              SEMBLANCE_AUTO_EMBED   which new images serve embeds by itself:
                                     artistic, all or off (artistic)
              TELEGRAM_BOT_TOKEN     the token of the bot on Telegram
              TELEGRAM_ALLOWED_USERS, TELEGRAM_ALLOWED_CHATS
                                     ids that it answers: 1,2 (its owner alone)
              TELEGRAM_WEBHOOK_URL, TELEGRAM_WEBHOOK_SECRET
                                     https://HOST/telegram, for serve --bot
              TELEGRAM_API_BASE      a local Bot API server
              SEMBLANCE_INBOX        the bot's inbox and outbox
                                     (semblance-inbox.db beside our database)
              SEMBLANCE_BOT_RATE     messages of one person a minute (30)
              MAX_IMAGE_BYTES, ALLOWED_IMAGE_EXTS
                                     what the bot takes (20000000; jpg,jpeg,
                                     png,webp,gif)
              HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE
                                     where models are fetched from, with what, if

            Exit status: 0 done; 1 done, but some images failed in this run; 64 wrong usage; 65 bad data; 66 a named \
            file is missing; 69 something needed is not there; 73 cannot write; 75 try later; 77 not let in (Telegram does not know the token; a database server refuses); 129, 130, 143 interrupted.
            """,
        version: version,
        subcommands: [
            StatsCommand.self, GenerateCommand.self, InitCommand.self, WorkersCommand.self,
            MigrateStoreCommand.self, ImportCommand.self,
            DoctorCommand.self, EmbedCommand.self,
            SimilarCommand.self, SearchCommand.self, DuplicatesCommand.self, FailuresCommand.self, ExportCommand.self,
            VerifyCommand.self, ReindexCommand.self,
            BackupCommand.self, SpaceCommand.self, ServeCommand.self, BotCommand.self,
            ModelCommand.self,
        ]
    )

    static func main() {
        signal(SIGPIPE, SIG_IGN)
        main(nil)
    }
}
