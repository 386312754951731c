import Backfill
import Catalog

extension LockPatience {
    /// Gives up sooner once somebody asks to stop.
    convenience init(
        shortenedBy stop: StopSignal,
        to limit: Duration,
        announcement: @escaping @Sendable () -> Void = {}
    ) {
        self.init(announcement: announcement)
        stop.onRaise { self.shorten(to: limit) }
    }
}

extension Backfill.Observer {
    /// Tells people on stderr of copies of the bot's database, and somebody of the stages' durations.
    static func announcing(
        stage: @escaping @Sendable (Backfill.Stage, Duration) -> Void = { _, _ in }
    ) -> Backfill.Observer {
        var observer = Backfill.Observer()
        observer.backup = { Console.say("Backup of the bot's database: \($0)") }
        observer.stage = stage
        return observer
    }

    /// Tells people on stderr how a run goes on.
    static var console: Backfill.Observer {
        var observer = announcing()
        observer.progress = { progress in
            let line = ProgressLine(progress)
            Console.isInteractive ? Console.draw(line.drawn) : Console.say(line.plain)
        }
        observer.adoption = { trial in
            let sample = "\(trial.candidates) vectors that another program wrote; \(trial.sampled) computed anew"
            Console.say(
                trial.isPassed
                    ? "\(sample): all agree, so they are taken over."
                    : "\(sample): they do not agree with the model (cosine \(trial.worst)), so they are replaced."
            )
        }
        return observer
    }
}
