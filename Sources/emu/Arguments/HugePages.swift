internal import ArgumentParser
internal import GuestMemory

/// The pages of guest RAM as the command line names them.
enum HugePages: String, CaseIterable, ExpressibleByArgument, Sendable {
    case off, transparent, explicit

    var pages: PageKind {
        switch self {
        case .off: .base
        case .transparent: .transparent
        case .explicit: .explicit
        }
    }
}
