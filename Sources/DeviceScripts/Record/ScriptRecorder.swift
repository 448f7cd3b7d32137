internal import GuestMemory
public import SystemPackage
public import VhostVDPA

/// Writes down what a process does to its vhost-vdpa files, as a script: each call with its answer.
///
/// A file that it opens, or is given when it was opened, stands before the device's own and answers as that does. What the
/// process does without a call, to its rings and its eventfds, is not in the script. So that it is the same all the same,
/// rings are empty where they start: lines that `store` their indices say so, and what depends on frames is expected to
/// succeed and no more. Control thread, as the files.
public final class ScriptRecorder {
    private let sink: (DeviceScript.Line) -> Void
    /// Whose calls come next.
    package var process = RecordedProcess.this
    private lazy var memory = RecordedMemory { [unowned self] in process.areas(in: $0) }
    private var descriptors = RecordedDescriptors()
    private var openNames: Set<ScriptName> = []
    /// What the script has stored in rings, which are zeroes otherwise.
    private var indices: [Place: UInt16] = [:]
    /// Whether a control queue may have changed the configuration space, of whichever file.
    var mayHaveChangedConfiguration = false

    private struct Place: Hashable {
        let memory: ScriptName
        let offset: UInt64
    }

    /// A recorder whose lines go to `write`, each when its call is over: what was done is there, whatever comes next.
    public init(write: @escaping (DeviceScript.Line) -> Void) { sink = write }

    /// Opens a device with `open`. A refusal is a line, too.
    public func open(
        _ open: () throws(Errno) -> any CharacterDevice
    ) throws(Errno) -> RecordedFile {
        do throws(Errno) {
            return record(try open())
        } catch {
            if error != .interrupted { note(.open(file: unusedName), .exactly(.error(error))) }
            throw error
        }
    }

    /// The file that stands before `file`, which was just opened.
    public func record(_ file: any CharacterDevice) -> RecordedFile {
        let name = unusedName
        openNames.insert(name)
        note(.open(file: name), .exactly(.ok))
        return RecordedFile(file, name: name, recorder: self)
    }

    /// Writes a line that is a comment alone.
    public func comment(_ text: String) { sink(DeviceScript.Line(nil, comment: text)) }

    // MARK: For files

    private var unusedName: ScriptName {
        var name = ScriptName.device
        var number = 2
        while openNames.contains(name) {
            name = ScriptName(stringLiteral: "\(ScriptName.device)\(number)")
            number += 1
        }
        return name
    }

    func note(_ step: ScriptStep, _ expectation: ScriptExpectation? = nil) {
        sink(DeviceScript.Line(step, expecting: expectation))
    }

    func closed(_ name: ScriptName) {
        openNames.remove(name)
        note(.close(file: name), .exactly(.ok))
    }

    /// Whether the name is a file's that is open.
    func isOpen(_ name: ScriptName) -> Bool { openNames.contains(name) }

    /// What an address is called, once there are lines that make the memory.
    func pointer(to address: UInt64, byteCount: UInt64) -> ScriptPointer {
        let (pointer, making) = memory.pointer(to: address, byteCount: byteCount)
        for step in making { note(step) }
        return pointer
    }

    /// What a descriptor is called, once there is a line that makes the eventfd.
    func descriptor(_ number: Int32, calling wish: String) -> ScriptDescriptor {
        let (descriptor, making) = descriptors.descriptor(number, of: process, calling: wish)
        for step in making { note(step) }
        return descriptor
    }

    /// Gives the indices of rings their values.
    func store(_ wanted: [RecordedDevice.Index]) {
        for index in wanted {
            let place = Place(memory: index.memory, offset: index.offset)
            guard indices[place, default: 0] != index.value else { continue }
            indices[place] = index.value
            note(.store(index.memory, offset: index.offset, bytes: index.value.littleEndianBytes))
        }
    }
}
