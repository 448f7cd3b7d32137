internal import Logging

/// Log lines on the ``Console``: `debug vhost-vdpa: message key=value`.
struct ConsoleLogHandler: LogHandler {
    let label: String
    var logLevel = Logger.Level.warning
    var metadata: Logger.Metadata = [:]
    private let console: Console

    init(label: String, console: Console = .shared) {
        self.label = label
        self.console = console
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let values = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let words = values.map { " \($0.key)=\($0.value)" }.joined()
        console.print("\(event.level) \(label): \(event.message)\(words)")
    }
}
