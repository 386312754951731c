import Backfill
import Catalog
import EmbeddingModel
import Inference
import ModelHub
import TelegramBot

/// What a command ends with: the contract with scripts.
struct ExitStatus: Error, Equatable {
    let code: Int32

    static let done = ExitStatus(code: 0)
    static let someFailed = ExitStatus(code: 1)
    static let usage = ExitStatus(code: 64)
    static let badData = ExitStatus(code: 65)
    static let missingFile = ExitStatus(code: 66)
    static let unavailable = ExitStatus(code: 69)
    static let cannotWrite = ExitStatus(code: 73)
    static let tryLater = ExitStatus(code: 75)
    static let notAuthorized = ExitStatus(code: 77)

    /// Ended by a signal, as a shell would say it.
    static func interrupted(by signal: Int32) -> ExitStatus { ExitStatus(code: 128 + signal) }

    /// The status for an error.
    init(_ error: any Error) {
        self =
            switch error {
            case let error as CommandError: error.status
            case let error as CatalogError: Self(error.code)
            case let error as EmbeddingModelError: Self(error.code)
            case let error as HubError: Self(error.code)
            case let error as BotError: Self(error.code)
            case is InferenceError: .unavailable
            default: .badData
            }
    }

    private init(code: Int32) { self.code = code }

    private init(_ code: EmbeddingModelError.Code) {
        self =
            switch code {
            case .damaged: .badData
            case .cannotWrite: .cannotWrite
            case .usage: .usage
            default: .unavailable
            }
    }

    private init(_ code: HubError.Code) {
        self =
            switch code {
            case .usage: .usage
            case .tryLater: .tryLater
            case .wrongContent: .badData
            case .cannotWrite: .cannotWrite
            default: .unavailable
            }
    }

    private init(_ code: BotError.Code) {
        self =
            switch code {
            case .unauthorized: .notAuthorized
            case .conflict: .tryLater
            case .usage: .usage
            default: .unavailable
            }
    }

    private init(_ code: CatalogError.Code) {
        self =
            switch code {
            case .missing: .missingFile
            case .locked, .unfinished: .tryLater
            case .cannotWrite: .cannotWrite
            case .unknownUser, .unsupported: .usage
            case .unavailable: .unavailable
            case .notPermitted: .notAuthorized
            default: .badData
            }
    }
}

/// A command's own refusal.
struct CommandError: Error, CustomStringConvertible {
    let status: ExitStatus
    let description: String

    init(_ status: ExitStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}
