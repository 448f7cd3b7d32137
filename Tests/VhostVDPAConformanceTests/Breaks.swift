import SystemPackage

/// The small breaks by which a rule is seen to be able to fail, by rule number.
enum Breaks {
    struct Case: Sendable, CustomStringConvertible {
        let rule: Int
        let what: String
        let specification: String
        /// The other rules that the same break makes fail, three at most, with the reason.
        let tied: [Int: String]
        let alteration: Break
        var description: String { "\(rule): \(what)" }
    }

    static let all: [Case] = files + queues + controlQueue + messages + maps

    /// A limit that rule 61 reaches sooner than the kernel's 2048.
    static let plain = "sim,entries=64"
    static let simulator = "sim,profile=vdpasim-net,entries=64"
    static let pinned = "sim,entries=64,use-va=off"

    static let unsupported = Errno(rawValue: 95)

    /// A break of requests and messages as closures.
    static func alter(
        _ rule: Int, _ what: String, on specification: String = plain, tied: [Int: String] = [:],
        _ alteration: Break
    ) -> Case {
        Case(rule: rule, what: what, specification: specification, tied: tied, alteration: alteration)
    }

    /// The device's own errno (`nil` is success) to a request becomes another, where `condition` holds.
    static func turned(
        _ rule: Int, _ what: String, _ request: UInt, from: Errno?, to: Errno?,
        on specification: String = plain,
        tied: [Int: String] = [:],
        when condition: @escaping @Sendable (Scene, Ioctl) -> Bool = { _, _ in true }
    ) -> Case {
        alter(
            rule, what, on: specification, tied: tied,
            Break(ioctl: { scene, ioctl in
                // Before the call: it may change what the condition is about.
                let isThere = ioctl.request == request && condition(scene, ioctl)
                let answer = scene.forward(ioctl)
                guard isThere, errno(of: answer) == from else { return answer }
                return to.map { .failure($0) } ?? .success(0)
            }))
    }

    /// The same for messages.
    static func message(
        _ rule: Int, _ what: String, from: Errno?, to: Errno?, on specification: String = plain,
        tied: [Int: String] = [:], when condition: @escaping @Sendable (Scene, Message) -> Bool
    ) -> Case {
        alter(
            rule, what, on: specification, tied: tied,
            Break(write: { scene, message in
                let isThere = condition(scene, message)
                let answer = scene.forward(message)
                guard isThere, errno(of: answer) == from else { return answer }
                return to.map { .failure($0) } ?? .success(72)
            }))
    }

    /// A message succeeds and does nothing.
    static func ignored(
        _ rule: Int, _ what: String, on specification: String = plain, tied: [Int: String] = [:],
        when condition: @escaping @Sendable (Scene, Message) -> Bool
    ) -> Case {
        alter(
            rule, what, on: specification, tied: tied,
            Break(write: { scene, message in
                condition(scene, message) ? .success(72) : scene.forward(message)
            }))
    }

    /// A request succeeds and does nothing.
    static func swallowed(
        _ rule: Int, _ what: String, on specification: String = plain, tied: [Int: String] = [:],
        when condition: @escaping @Sendable (Scene, Ioctl) -> Bool
    ) -> Case {
        alter(
            rule, what, on: specification, tied: tied,
            Break(ioctl: { scene, ioctl in condition(scene, ioctl) ? .success(0) : scene.forward(ioctl) }))
    }

    /// A reset, and what the break does before and after it.
    static func aroundReset(
        _ rule: Int, _ what: String, on specification: String = plain, tied: [Int: String] = [:],
        _ body: @escaping @Sendable (Scene, () -> Result<Int32, Errno>) -> Result<Int32, Errno>
    ) -> Case {
        alter(
            rule, what, on: specification, tied: tied,
            Break(ioctl: { scene, ioctl in
                guard ioctl.request == Number.setStatus, ioctl.byte == 0 else { return scene.forward(ioctl) }
                return body(scene) { scene.forward(ioctl) }
            }))
    }

    static func errno<Value>(of answer: Result<Value, Errno>) -> Errno? {
        if case .failure(let error) = answer { error } else { nil }
    }
}
