import GuestMemory

// How memory is divided is seen by a debug build alone; a kernel's VM has these tests optimised.
#if DEBUG
    import SimulatedVDPA
    import Testing

    @testable import EmulatedMachine

    @Suite("Memory in so many regions") struct MachineMemoryTests {
        private func shape(_ memory: ByteCount, regions: Int?) throws -> MachineMemory.Shape {
            var configuration = MachineConfiguration(
                memory: memory, device: .simulated(try SimulatedDeviceSpecification(parsing: "sim")))
            configuration.regions = regions
            return try MachineMemory.Shape(configuration)
        }

        @Test(
            "is all there, half of it in modules of one size, the last of which has what does not divide",
            arguments: [2, 5, 7, 8, 9, 40], [64, 100, 4096])
        func divided(regions: Int, mebibytes: Int) throws {
            let memory = ByteCount.mebibytes(mebibytes)
            let shape = try shape(memory, regions: regions)
            // A PC has six regions, and one more from two gigabytes on; without its firmware RAM is one.
            let ofRAM = !shape.hasFirmware ? 1 : shape.ram > PCMemoryLayout.lowMemoryLimit ? 7 : 6
            #expect(shape.modules.isEmpty ? regions == 7 : shape.modules.count == regions - ofRAM)
            let sum = shape.modules.reduce(shape.ram.rawValue) { $0 + $1.rawValue }
            #expect(sum == memory.rawValue, "\(shape)")
            for (module, next) in zip(shape.modules, shape.modules.dropFirst()) { #expect(module <= next) }
            #expect(shape.modules.allSatisfy { $0.isMultiple(of: RAMBlock.hostPageSize) })
        }

        @Test("is a PC's where nobody asks for a number", arguments: [64, 4096])
        func ofPC(mebibytes: Int) throws {
            let shape = try shape(.mebibytes(mebibytes), regions: nil)
            #expect(shape.ram == .mebibytes(mebibytes) && shape.hasFirmware && shape.modules.isEmpty)
        }
    }
#endif
