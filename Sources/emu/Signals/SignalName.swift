internal import Glibc

/// Signals as people write them.
enum SignalName {
    static func of(_ signal: Int32) -> String {
        switch signal {
        case SIGINT: "SIGINT"
        case SIGTERM: "SIGTERM"
        case SIGHUP: "SIGHUP"
        case SIGALRM: "SIGALRM"
        case SIGXCPU: "SIGXCPU"
        case SIGUSR1: "SIGUSR1"
        case SIGUSR2: "SIGUSR2"
        default: "signal \(signal)"
        }
    }
}
