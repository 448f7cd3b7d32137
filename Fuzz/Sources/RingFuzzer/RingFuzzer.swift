import CFuzzer
import Glibc

/// Runs the fuzzer's bytes as programs for both sides of a ring; a rule that breaks ends the process.
///
/// Swift Package Manager names the entry of an executable itself, so libFuzzer's own `main` cannot be it.
@main
struct RingFuzzer {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            let program = unsafe Array(UnsafeBufferPointer(start: start, count: count))
            do throws(ProgramFailure) {
                // Larger rings only make each program slower.
                try SplitRingMachine.run(program, maximumSizeLog2: 8)
            } catch {
                fatalError(error.description)
            }
            return 0
        }
        exit(status)
    }
}
