import Backfill
import Catalog
import EmbeddingModel
import Synchronization
import Vectors

/// Embeds a few images at a time into the space that answers come from.
///
/// The databases stay open between two calls; they are opened anew where another process has written meanwhile, where a
/// file was exchanged, or where another space became active.
final class SingleImages: Sendable {
    private let settings: Settings
    private let models: LoadedModels
    private let lock: SharedRunLock
    private let stop: StopSignal
    private let patience: LockPatience
    private let observer: Backfill.Observer
    private let kept = Mutex<Kept?>(nil)
    private let isBackedUp = Mutex(false)

    private struct Kept {
        let library: WritableLibrary
        /// Both files, as they were when they were opened.
        let files: [FileIdentity?]
        /// How our database stood when it was last used.
        var version: Int
    }

    init(
        _ settings: Settings,
        _ models: LoadedModels,
        lock: SharedRunLock,
        stop: StopSignal,
        stage: @escaping @Sendable (Backfill.Stage, Duration) -> Void
    ) {
        self.settings = settings
        self.models = models
        self.lock = lock
        self.stop = stop
        patience = LockPatience(shortenedBy: stop, to: .seconds(2))
        observer = .announcing(stage: stage)
    }

    /// Embeds images that need it.
    ///
    /// The bot's database is copied before the first vector is replaced, once as long as the program runs.
    ///
    /// - Parameter retries: Whether those that failed before are tried again.
    func embed(_ images: [Int64], retries: Bool) throws -> [Int64: Backfill.Standing] {
        try lock.holding { isFresh in
            try kept.withLock { kept in
                var current = try kept.flatMap { try isCurrent($0, isFresh: isFresh) ? $0 : nil } ?? open()
                kept = current
                defer { kept = current }
                let space = current.library.store.space.space
                var options = Backfill.Options(scope: .allUsers)
                options.retriesFailures = retries
                options.makesBackup = !isBackedUp.withLock { $0 }
                let backfill = Backfill(
                    catalog: current.library.catalog,
                    files: try settings.files,
                    options: options,
                    stop: stop
                )
                let standings = try backfill.embed(
                    images,
                    models.encoder(of: space),
                    store: current.library.store,
                    backup: current.library.backup.map { backup in
                        { @Sendable [self] in
                            let path = try backup()
                            isBackedUp.withLock { $0 = true }
                            return path
                        }
                    },
                    observer: observer
                )
                current.version = try current.library.vectors.dataVersion()
                return standings
            }
        }
    }

    private func isCurrent(_ kept: Kept, isFresh: Bool) throws -> Bool {
        guard try kept.files == identities() else { return false }
        let mayBeStale = isFresh && !kept.files.isEmpty
        guard try !mayBeStale || kept.library.vectors.dataVersion() == kept.version else { return false }
        return try kept.library.vectors.activeSpace() == kept.library.store.space
    }

    private func open() throws -> Kept {
        let space = try settings.vectors()?.answeringSpace()
        let encoder = try space.map { try models.encoder(of: $0.space) } ?? models.wanted()
        let library =
            try settings.server(stop: stop).map { try WritableLibrary($0, for: encoder.space, shares: false) }
            ?? WritableLibrary(settings, for: encoder.space, patience: patience)
        return Kept(library: library, files: try identities(), version: try library.vectors.dataVersion())
    }

    private func identities() throws -> [FileIdentity?] {
        try settings.databaseFiles.map { FileIdentity(of: $0) }
    }
}

extension VectorDatabase {
    /// The active space, where it has anything to answer with.
    func answeringSpace() throws -> StoredSpace? {
        try activeSpace().flatMap { try vectorCount(in: $0) > 0 ? $0 : nil }
    }
}
