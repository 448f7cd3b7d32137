package import Logging

extension Logger {
    /// A logger that only says what must not happen.
    package static let quiet: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()
}
