internal import DeviceScripts
internal import GuestMemory
internal import VhostVDPA
internal import Virtio

/// A call and its answer, with what the client had told the device before: what a rule judges.
struct ClientMoment {
    /// The call's number, from 1.
    let number: Int
    let step: ScriptStep
    let answer: ScriptAnswer
    let caller: ScriptCaller
    /// Before the call.
    let file: WatchedFile

    var isSuccess: Bool { answer.isSuccess }

    /// A breach at this call.
    func breach(_ detail: String) -> [ClientBreach] { [ClientBreach(call: number, detail: detail)] }

    // MARK: What the call is

    /// The request's name; `nil` where it is none, or is given an address that could not be read.
    var request: String? {
        guard case .request(let request, _, _) = step else { return nil }
        return request.kind?.name
    }

    var argument: ScriptRequest.Argument? {
        guard case .request(let request, _, _) = step else { return nil }
        return request.argument
    }

    /// The message, where it is one.
    var message: ScriptMessage? {
        guard case .message(let message, _) = step else { return nil }
        return message
    }

    /// The status that is given.
    var newStatus: DeviceStatus? {
        guard request == "SET_STATUS", case .number(let bits) = argument else { return nil }
        return DeviceStatus(rawValue: UInt8(truncatingIfNeeded: bits))
    }

    /// The queue and the number of a `struct vhost_vring_state` that is given to `name`.
    func state(of name: String) -> (index: VringIndex, number: UInt32)? {
        guard request == name, case .state(let index, let number) = argument else { return nil }
        return (index, number)
    }

    // MARK: What it brings about

    /// The device is reset by it.
    var isReset: Bool { newStatus == .reset && isSuccess }

    /// The run of the device's queues ends with it.
    var isEnd: Bool {
        if case .close = step { true } else { isReset }
    }

    /// The device begins to run by it.
    var isStart: Bool {
        guard let status = newStatus, isSuccess else { return false }
        return status.contains(.driverOK) && !file.status.contains(.driverOK)
    }

    /// The queues that begin to run by it, lowest first.
    var startedQueues: [VringIndex] {
        if isStart { return file.queues.keys.filter { file.queues[$0]?.isEnabled == true }.sorted() }
        if let (index, number) = state(of: "SET_VRING_ENABLE"), number != 0, isSuccess, file.isRunning,
            file.queues[index]?.isEnabled != true
        {
            return [index]
        }
        return []
    }
}
