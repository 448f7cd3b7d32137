internal import DeviceScripts
internal import SystemPackage
internal import VhostVDPA
internal import VhostVDPAConformance

extension DeviceOpener {
    /// The same, with every call of its files written down.
    func recorded(by recorder: ScriptRecorder) -> DeviceOpener {
        var opener = self
        opener.open = { [open] () throws(Errno) in try recorder.open(open) }
        opener.descriptor = descriptor.map { descriptor in
            { descriptor(($0 as? RecordedFile)?.inner ?? $0) }
        }
        opener.ioctlFromChild = ioctlFromChild.map { call in
            { file, request, argument in
                guard let file = file as? RecordedFile else { return call(file, request, argument) }
                return file.ioctlFromChild(request, argument, call)
            }
        }
        return opener
    }
}
