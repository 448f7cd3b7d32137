package import DeviceScripts

/// What is made of the calls of programs on their devices.
package struct ClientWatching {
    private let judges: Bool
    private let recorder: (_ path: String) -> ScriptRecorder?

    /// Has clients judged where `judges` says so, and their calls on the device of a path written down where `recorder` gives a
    /// recorder for it.
    package init(judges: Bool = false, recorder: @escaping (_ path: String) -> ScriptRecorder? = { _ in nil })
    {
        self.judges = judges
        self.recorder = recorder
    }

    func observer(of path: String) -> ClientObserver {
        ClientObserver(judges: judges, recorder: recorder(path))
    }
}
