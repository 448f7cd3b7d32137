import Testing

@testable import GuestMemory

struct TransactionTests {
    private let space = AddressSpace(name: "test")
    private let listener = MirrorListener()

    private func device(_ name: String) -> MemoryRegion { .device(name, byteCount: .pages(1)) }

    @Test("Only the outermost transaction commits, once, with everything in it")
    func nesting() throws {
        try space.register(listener)
        listener.forgetEvents()
        try space.transaction { () throws(GuestMemoryError) in
            try space.add(device("a"), at: .page(0))
            try space.transaction { () throws(GuestMemoryError) in
                try space.add(device("b"), at: .page(1))
                try space.transaction { () throws(GuestMemoryError) in
                    try space.add(device("c"), at: .page(2))
                }
            }
            #expect(listener.events.isEmpty)
            #expect(space.view.sections.isEmpty)
        }
        #expect(listener.events == [.begin, .add("a"), .add("b"), .add("c"), .commit])
    }

    @Test("Removes come before adds, unchanged sections are kept, all in the order of addresses")
    func order() throws {
        let gone = device("gone")
        try space.add(device("stays"), at: .page(1))
        try space.add(gone, at: .page(3))
        try space.register(listener)
        #expect(listener.events == [.begin, .add("stays"), .add("gone"), .commit])
        listener.forgetEvents()
        try space.transaction { () throws(GuestMemoryError) in
            try space.add(device("new"), at: .page(0))
            try space.remove(gone)
        }
        #expect(listener.events == [.begin, .remove("gone"), .add("new"), .keep("stays"), .commit])
        listener.forgetEvents()
        try space.unregister(listener)
        #expect(listener.events == [.begin, .remove("new"), .remove("stays"), .commit])
        #expect(listener.view.isEmpty)
    }

    @Test("A transaction that changes nothing, or back again, only keeps")
    func unchanged() throws {
        let region = device("region")
        try space.add(region, at: .page(0))
        try space.register(listener)
        listener.forgetEvents()
        try space.transaction { () throws(GuestMemoryError) in
            try space.setEnabled(false, for: region)
            try space.setEnabled(true, for: region)
            try space.add(device("hidden"), at: .page(0), priority: -1)
        }
        try space.transaction { () throws(GuestMemoryError) in }
        #expect(listener.events == [.begin, .keep("region"), .commit, .begin, .keep("region"), .commit])
    }

    @Test("Memory of the same name, size and place is still other memory")
    func replaced() throws {
        let one = device("same")
        try space.add(one, at: .page(0))
        try space.register(listener)
        listener.forgetEvents()
        try space.transaction { () throws(GuestMemoryError) in
            try space.remove(one)
            try space.add(device("same"), at: .page(0))
        }
        #expect(listener.events == [.begin, .remove("same"), .add("same"), .commit])
    }

    @Test("A change that throws takes back what it did, and nobody is called")
    func throwingChange() throws {
        let region = device("region")
        try space.add(region, at: .page(0))
        try space.register(listener)
        listener.forgetEvents()
        let stop = GuestMemoryError(code: .invalidTopology, context: "stop")
        #expect(throws: GuestMemoryError.self) {
            try space.transaction { () throws(GuestMemoryError) in
                try space.remove(region)
                try space.add(device("new"), at: .page(1))
                throw stop
            }
        }
        #expect(listener.events.isEmpty)
        try space.transaction { () throws(GuestMemoryError) in
            try space.add(device("outer"), at: .page(5))
            _ = try? space.transaction { () throws(GuestMemoryError) in
                try space.add(device("inner"), at: .page(6))
                try space.setReadOnly(true, for: region)
                throw stop
            }
        }
        #expect(listener.events == [.begin, .keep("region"), .add("outer"), .commit])
    }

    @Test(
        "A refused change of many sections names four of them and says how many there are more",
        arguments: [4, 5, 9])
    func refusedMany(count: Int) throws {
        try space.register(listener)
        listener.refusals = 1
        let error = #expect(throws: GuestMemoryError.self) {
            try space.transaction { () throws(GuestMemoryError) in
                for page in 0..<count { try space.add(device("d\(page)"), at: .page(page)) }
            }
        }
        let text = try #require(error?.description)
        #expect(text.contains("add d3") && !text.contains("add d4"), "\(text)")
        #expect(text.contains(" and \(count - 4) more") == (count > 4), "\(text)")
    }

    @Test("A refused change names itself and the reason, and everything is as it was", arguments: 0..<3)
    func refused(refuser: Int) throws {
        let region = device("region")
        try space.add(region, at: .page(0))
        let listeners = (0..<3).map { _ in MirrorListener() }
        for listener in listeners { try space.register(listener) }
        let before = space.view.sections
        for listener in listeners { listener.forgetEvents() }
        listeners[refuser].refusals = 1
        let dimm = device("dimm")
        let error = #expect(throws: GuestMemoryError.self) {
            try space.transaction { () throws(GuestMemoryError) in
                try space.remove(region)
                try space.add(dimm, at: .page(1))
            }
        }
        #expect(error?.code == .listenerRefused)
        #expect(error?.underlying is MirrorListener.Refusal)
        let text = try #require(error?.description)
        for part in ["remove region [0x0, 0xfff]", "add dimm [0x1000, 0x1fff]", "the mirror is full"] {
            #expect(text.contains(part), "\(text) lacks \(part)")
        }
        #expect(space.view.sections == before)
        let tried: [MirrorListener.Event] = [.begin, .remove("region"), .add("dimm")]
        let reverse: [MirrorListener.Event] = [.begin, .remove("dimm"), .add("region"), .commit]
        for (index, listener) in listeners.enumerated() {
            let expected =
                index < refuser ? tried + [.commit] + reverse : index == refuser ? tried + [.refuse] : []
            #expect(listener.events == expected)
            #expect(listener.view == before)
        }
        // The tree is restored too: the same change goes through once it is not refused.
        try space.transaction { () throws(GuestMemoryError) in
            try space.remove(region)
            try space.add(dimm, at: .page(1))
        }
        #expect(space.view.sections.map(\.regionName) == ["dimm"])
        for listener in listeners { #expect(listener.view == space.view.sections) }
    }

    @Test("A listener that does not go back is named, and the next transaction brings it in step")
    func rollbackFails() throws {
        try space.add(device("old"), at: .page(0))
        let stuck = MirrorListener()
        let refuser = MirrorListener()
        try space.register(stuck)
        try space.register(refuser)
        stuck.refuseAfter = 1
        stuck.refusals = 1
        refuser.refusals = 1
        let error = #expect(throws: GuestMemoryError.self) { try space.add(device("new"), at: .page(1)) }
        #expect(error?.code == .rollbackFailed)
        #expect(try #require(error?.description).contains("MirrorListener"))
        #expect(space.view.sections.map(\.regionName) == ["old"])
        #expect(stuck.view.map(\.regionName) == ["old", "new"])
        try space.transaction { () throws(GuestMemoryError) in }
        #expect(stuck.view == space.view.sections)
    }

    @Test("A listener that refuses the map is not registered, one that refuses to give it up stays so")
    func registration() throws {
        try space.add(device("region"), at: .page(0))
        listener.refusals = 1
        let error = #expect(throws: GuestMemoryError.self) { try space.register(listener) }
        #expect(error?.code == .listenerRefused)
        #expect(try #require(error?.description).contains("add region [0x0, 0xfff]"))
        listener.forgetEvents()
        try space.add(device("unheard"), at: .page(1))
        #expect(listener.events.isEmpty)

        try space.register(listener)
        listener.refusals = 1
        #expect(throws: GuestMemoryError.self) { try space.unregister(listener) }
        try space.add(device("heard"), at: .page(2))
        #expect(listener.view == space.view.sections)
        try space.unregister(listener)
        #expect(listener.view.isEmpty)
        listener.forgetEvents()
        try space.unregister(listener)
        #expect(listener.events.isEmpty)
    }

    @Test(
        "Whatever changes, goes through or is refused, every mirror equals the flat view", arguments: 0..<30)
    func mirrors(seed: Int) throws {
        let machine = try RandomMachine(seed: 1000 + seed)
        let listeners = (0..<3).map { _ in MirrorListener() }
        for listener in listeners.dropLast() { try machine.space.register(listener) }
        var refused = 0
        for step in 0..<120 {
            if step == 40 { try machine.space.register(listeners[2]) }
            if machine.chance(oneIn: 4) { listeners[machine.count(upTo: 3) - 1].refusals = 1 }
            var undo: [() -> Void] = []
            do throws(GuestMemoryError) {
                try machine.space.transaction { () throws(GuestMemoryError) in
                    for _ in 0..<machine.count(upTo: 4) { undo.append(try machine.change()) }
                }
            } catch {
                #expect(error.code == .listenerRefused)
                refused += 1
                for step in undo.reversed() { step() }
            }
            for listener in listeners { listener.refusals = 0 }
            machine.check()
            for listener in listeners.prefix(step < 40 ? 2 : 3) {
                #expect(listener.view == machine.space.view.sections)
            }
        }
        #expect(refused > 0)
        for listener in listeners {
            try machine.space.unregister(listener)
            #expect(listener.view.isEmpty)
        }
    }
}
