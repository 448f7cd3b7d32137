internal import SystemPackage

/// Rules 34 to 37 and 71, and this project's own on kicks.
enum KickRules {
    static let all: [Rule] = [
        Rule(
            34, .kicks, "DRIVER_OK with a filled transmit ring and no kick makes no progress; the kick does",
            needs: [.traffic, .onChip], source: "vdpasim_set_status, vdpasim_kick_vq"
        ) { device in
            let (client, rig) = try device.mapped()
            try rig.start(client, beforeDriverOK: { $0.post() })
            try rig.expectNoProgress("DRIVER_OK alone")
            rig.kick()
            try rig.expectProgress("after the kick")
        },
        Rule(
            35, .kicks, "Binding a kick eventfd that is signalled already kicks; its counter stays",
            needs: [.traffic], source: "vhost_poll_start, vhost_vdpa_handle_vq_kick"
        ) { device in
            let (client, rig) = try device.running()
            rig.rest()
            try expect("SET_VRING_KICK -1", client.setVring(Request.setVringKick, 1, file: -1))
            _ = rig.transmitKick.take()
            rig.post()
            rig.kickTransmit()
            try rig.expectNoProgress("an eventfd nobody polls")
            try rig.bindKick(client)
            try rig.expectProgress("bound")
            try expect("the counter", rig.transmitKick.take(), equals: 1)
        },
        Rule(
            36, .kicks, "A status reset forgets the call eventfd: bound again or not, the ring advances",
            needs: [.traffic, .onChip], source: "vdpasim_vq_reset"
        ) { device in
            let (client, rig) = try device.running()
            rig.transmitCall.wait(milliseconds: 5000)
            try expect("a call", rig.transmitCall.take() > 0, equals: true)
            try remap(client, rig)
            try rig.start(client, callBound: false)
            try rig.expectTraffic("without SET_VRING_CALL")
            rig.rest()
            try expect("calls without SET_VRING_CALL", rig.transmitCall.take(), equals: 0)
        },
        Rule(
            37, .kicks, "Enable from 0 to 1 keeps the ring's position; from 1 to 1 it has no effect",
            needs: [.traffic, .onChip], source: "vdpasim_set_vq_ready, vdpasim_queue_ready"
        ) { device in
            let (client, rig) = try device.running()
            try rig.enable(client, queue: 1, 1)
            try rig.expectTraffic("enabled twice")
            try rig.enable(client, queue: 1, 0)
            try rig.enable(client, queue: 1, 1)
            try rig.expectTraffic("off and on again")
        },
        Rule(
            71, .kicks, "vdpa_sim_net without a receive buffer: a frame is used, the next waits for a kick",
            needs: [.traffic, .simulatorNetwork], source: "vdpasim_net_work",
            note: "Verified on 6.1.192 and 6.12.117. A kick of either queue is one pass over both."
        ) { device in
            let (client, rig) = try device.mapped()
            try rig.start(client, receiveBuffers: false)
            rig.post(refillingReceive: false)
            rig.post(refillingReceive: false)
            rig.kickTransmit()
            try expect(
                "used after a kick",
                try rig.used(waitingFor: 2, milliseconds: 4 * device.opener.quietMilliseconds), equals: 1)
            rig.kickTransmit()
            try rig.expectProgress("after another kick")
        },
        Rule(
            101, .kicks,
            "A kick while the queue is off is lost: enabling it later serves nothing until the next",
            needs: [.traffic, .onChip], source: "vdpasim_kick_vq"
        ) { device in
            let (client, rig) = try device.running()
            rig.rest()
            try rig.enable(client, queue: 1, 0)
            rig.post()
            rig.kickTransmit()
            try rig.expectNoProgress("off")
            try rig.enable(client, queue: 1, 1)
            try rig.expectNoProgress("on, without a kick")
            rig.kick()
            try rig.expectProgress("on, after a kick")
        },
        Rule(
            102, .kicks, "Binding the same kick eventfd again does not poll it again",
            needs: [.traffic], source: "vhost_vring_ioctl, VHOST_SET_VRING_KICK"
        ) { device in
            let (client, rig) = try device.running()
            rig.rest()
            rig.post()
            try rig.bindKick(client)
            try rig.expectNoProgress("bound again, still signalled")
            rig.kick()
            try rig.expectProgress("after a kick")
        },
    ]

    /// A reset, with the maps made anew as a client without IOTLB_PERSIST must.
    private static func remap(_ client: RuleClient, _ rig: NetworkRig) throws(RuleInterruption) {
        try expect("reset", client.setStatus(0))
        try expect("INVALIDATE", rig.unmap(client))
        try expect("UPDATE", rig.map(client))
    }
}
