internal import EmulatedMachine
internal import SimulatedVDPA
internal import SystemPackage

/// A vDPA device as the command line names it: `sim[,key=value]…`, `/dev/vhost-vdpa-N` or `fd:N`.
struct DeviceSpecification: Hashable, Sendable, CustomStringConvertible {
    /// Where the device is.
    enum Kind: Hashable, Sendable {
        case simulated(SimulatedDeviceSpecification)
        case file(path: String)
        case descriptor(Int32)
    }

    let kind: Kind
    /// The text as it was given.
    let description: String

    /// The simulated device of the defaults.
    static let standard = DeviceSpecification(known: "sim")

    /// What stands for every kind of simulated device where a command takes more than one.
    static let everyKind = "all"

    /// A specification of the program's own, which can be read.
    init(known text: String) {
        do {
            self = try DeviceSpecification(parsing: text)
        } catch {
            preconditionFailure("\(text): \(error)")
        }
    }

    /// Reads a specification; a simulated device that cannot exist is refused with the reason.
    init(parsing text: String) throws(ArgumentError) {
        description = text
        if text == "sim" || text.hasPrefix("sim,") {
            do throws(SimulatedDeviceSpecificationError) {
                kind = .simulated(try SimulatedDeviceSpecification(parsing: text))
            } catch {
                throw ArgumentError(error.description)
            }
        } else if text.hasPrefix("fd:") {
            guard let number = Int32(text.dropFirst(3)), number >= 0 else {
                throw ArgumentError("fd: takes the number of an open descriptor, as in fd:3")
            }
            kind = .descriptor(number)
        } else if text.hasPrefix("/") {
            kind = .file(path: text)
        } else if text == Self.everyKind {
            throw ArgumentError("all is for emu check; use one device, as in sim,kernel=6.1")
        } else {
            throw ArgumentError("use sim[,key=value]…, the path of a /dev/vhost-vdpa-N, or fd:N")
        }
    }

    /// Whether the device is simulated by this process.
    var isSimulated: Bool {
        if case .simulated = kind { true } else { false }
    }

    /// Refuses a simulated device where there is no /proc: the simulated kernel finds there what a caller has mapped,
    /// which no system call tells.
    func checkMachine() throws(StartError) {
        guard isSimulated else { return }
        let maps = "/proc/self/maps"
        do {
            try FileDescriptor.open(FilePath(maps), .readOnly, options: .closeOnExec, retryOnInterrupt: false)
                .close()
        } catch {
            throw StartError(
                "\(self): \(maps) cannot be read: \(error): a simulated device looks up there what a caller has"
                    + " mapped; mount /proc")
        }
    }

    /// The same for the machine.
    var source: DeviceSource {
        switch kind {
        case .simulated(let specification): .simulated(specification)
        case .file(let path): .file(FilePath(path))
        case .descriptor(let number): .descriptor(FileDescriptor(rawValue: number))
        }
    }
}
