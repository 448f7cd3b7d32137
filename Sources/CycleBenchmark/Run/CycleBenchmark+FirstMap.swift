internal import EmulatedMachine
internal import IOUring

/// The first map of an opening beside io_uring's registration of the same memory, in turns.
extension CycleBenchmark {
    /// The openings, the machine's own among them, and as many registrations.
    private static let openings = 5

    /// `map` is what the machine's own opening took. The machine is closed, so that no device has its memory pinned.
    /// A device that cannot be opened again is one of the `problems`.
    func firstMap(
        of machine: EmulatedMachine, _ setup: CycleSetup, _ map: Duration, problems: inout [String]
    ) -> FirstMap {
        var maps = Samples([Self.nanoseconds(map)])
        var registrations = Samples()
        var obstacle: String?
        func register(_ registrar: inout BufferRegistrar) {
            do throws(IOUringError) {
                registrations.append(try registrar.measure())
            } catch {
                obstacle = "\(error)"
            }
        }
        var registrar: BufferRegistrar
        do throws(IOUringError) {
            registrar = try BufferRegistrar(machine.memory)
        } catch {
            return FirstMap(setup, maps: maps, registrations: registrations, obstacle: "\(error)")
        }
        register(&registrar)
        // A descriptor that was inherited is closed with the machine.
        for _ in 1..<(machine.canReopen ? Self.openings : 1) {
            guard interrupt?.wasRaised != true else { break }
            do throws(MachineError) {
                maps.append(Self.nanoseconds(try machine.mapOnce()))
            } catch {
                // What has been measured stays.
                problems.append("\(setup.memory), the device could not be opened again: \(error)")
                break
            }
            register(&registrar)
        }
        return FirstMap(
            setup, maps: maps, registrations: obstacle == nil ? registrations : Samples(), obstacle: obstacle)
    }

    private static func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(duration / .nanoseconds(1)) }
}
