import Testing

@testable import IOUring

@Suite struct UserDataTests {
    @Test(
        "Every part comes back as it was packed",
        arguments: [
            (UInt8(0), 0, UInt16(0), 0), (1, 2, 3, 4), (0xfe, 0xffff, 0xffff, 0xff_ffff), (0, 0xffff, 0, 0),
            (0, 0, 0xffff, 0), (0, 0, 0, 0xff_ffff), (0xfe, 0, 0, 0),
        ])
    func roundTrip(kind: UInt8, queue: Int, generation: UInt16, slot: Int) {
        let packed = UserData(kind: kind, queue: queue, generation: generation, slot: slot)
        let back = UserData(rawValue: packed.rawValue)
        #expect(back.kind == kind)
        #expect(back.queue == queue)
        #expect(back.generation == generation)
        #expect(back.slot == slot)
    }

    @Test("The kinds an owner may use are never the ring's own")
    func reserved() {
        #expect(UserData.ignored.kind == UserData.reservedKind)
        // liburing marks its own requests with all ones.
        #expect(UserData(rawValue: .max).kind == UserData.reservedKind)
        #expect(MemoryLayout<UserData>.size == 8)
    }

    @Test(
        "A part that does not fit is refused, not truncated", arguments: [UserData.maximumSlot + 1, -1])
    func tooLarge(slot: Int) async {
        await #expect(processExitsWith: .failure) { [slot] in
            _ = UserData(kind: 1, slot: slot)
        }
    }
}
