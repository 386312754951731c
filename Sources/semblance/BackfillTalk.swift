import Backfill
import Catalog

extension Backfill.Observer {
    /// Tells people on stderr how a run goes on.
    static var console: Backfill.Observer {
        var observer = Backfill.Observer()
        observer.backup = { Console.say("Backup of the bot's database: \($0)") }
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
