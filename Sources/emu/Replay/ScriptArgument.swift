internal import DeviceScripts
internal import SystemPackage

/// A device script that a command line names.
enum ScriptArgument {
    /// Reads it whole.
    static func read(_ path: String) throws(StartError) -> DeviceScript {
        let bytes: [UInt8]
        do throws(InputFile.Failure) {
            bytes = try InputFile(path: FilePath(path == "-" ? "/dev/stdin" : path)).bytes()
        } catch {
            throw StartError("\(path): \(error); name a device script that you can read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StartError("\(path): it is no text; name a device script (docs/device-scripts.md)")
        }
        let script: DeviceScript
        do throws(ScriptTextError) {
            script = try DeviceScript(parsing: text)
        } catch {
            throw StartError("\(path), \(error) (docs/device-scripts.md)")
        }
        do throws(ScriptProblem) {
            try script.check()
        } catch {
            throw StartError("\(path), \(error) (docs/device-scripts.md)")
        }
        guard !script.steps.isEmpty else {
            throw StartError("\(path): there is no call in it; docs/device-scripts.md says what a script is")
        }
        return script
    }
}
