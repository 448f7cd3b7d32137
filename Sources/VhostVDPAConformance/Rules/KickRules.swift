internal import SystemPackage

/// Rules 34 to 37 and 71, and this project's own on kicks.
enum KickRules {
    static let all: [Rule] = [
        Rule(
            34, .kicks, "DRIVER_OK with a filled transmit ring and no kick makes no progress; the kick does",
            needs: [.traffic, .onChip], source: "vdpasim_set_status, vdpasim_kick_vq"
        ) { device in
            let (client, driver) = try device.mapped()
            try driver.start(client, beforeDriverOK: { $0.post() })
            try driver.expectNoProgress("DRIVER_OK alone")
            driver.kick()
            try driver.expectProgress("after the kick")
        },
        Rule(
            35, .kicks, "Binding a kick eventfd that is signalled already kicks; its counter stays",
            needs: [.traffic], source: "vhost_poll_start, vhost_vdpa_handle_vq_kick"
        ) { device in
            let (client, driver) = try device.running()
            driver.rest()
            try expect("SET_VRING_KICK -1", client.setVring(Request.setVringKick, 1, file: -1))
            _ = driver.transmitKick.take()
            driver.post()
            driver.kickTransmit()
            try driver.expectNoProgress("an eventfd nobody polls")
            try driver.bindKick(client)
            try driver.expectProgress("bound")
            try expect("the counter", driver.transmitKick.take(), equals: 1)
        },
        Rule(
            36, .kicks, "A status reset forgets the call eventfd: bound again or not, the ring advances",
            needs: [.traffic, .onChip], source: "vdpasim_vq_reset"
        ) { device in
            let (client, driver) = try device.running()
            driver.transmitCall.wait(milliseconds: 5000)
            try expect("a call", driver.transmitCall.take() > 0, equals: true)
            try remap(client, driver)
            try driver.start(client, callBound: false)
            try driver.expectTraffic("without SET_VRING_CALL")
            driver.rest()
            try expect("calls without SET_VRING_CALL", driver.transmitCall.take(), equals: 0)
        },
        Rule(
            37, .kicks, "Enable from 0 to 1 keeps the ring's position; from 1 to 1 it has no effect",
            needs: [.traffic, .onChip], source: "vdpasim_set_vq_ready, vdpasim_queue_ready"
        ) { device in
            let (client, driver) = try device.running()
            try driver.enable(client, queue: 1, 1)
            try driver.expectTraffic("enabled twice")
            try driver.enable(client, queue: 1, 0)
            try driver.enable(client, queue: 1, 1)
            try driver.expectTraffic("off and on again")
        },
        Rule(
            71, .kicks, "vdpa_sim_net without a receive buffer: a frame is used, the next waits for a kick",
            needs: [.traffic, .simulatorNetwork], source: "vdpasim_net_work",
            note: "Verified on 6.1.192 and 6.12.117. A kick of either queue is one pass over both."
        ) { device in
            let (client, driver) = try device.mapped()
            try driver.start(client, receiveBuffers: false)
            driver.post(refillingReceive: false)
            driver.post(refillingReceive: false)
            driver.kickTransmit()
            try expect(
                "used after a kick",
                try driver.used(waitingFor: 2, milliseconds: 4 * device.opener.quietMilliseconds), equals: 1)
            driver.kickTransmit()
            try driver.expectProgress("after another kick")
        },
        Rule(
            101, .kicks,
            "A kick while the queue is off is lost: enabling it later serves nothing until the next",
            needs: [.traffic, .onChip], source: "vdpasim_kick_vq"
        ) { device in
            let (client, driver) = try device.running()
            driver.rest()
            try driver.enable(client, queue: 1, 0)
            driver.post()
            driver.kickTransmit()
            try driver.expectNoProgress("off")
            try driver.enable(client, queue: 1, 1)
            try driver.expectNoProgress("on, without a kick")
            driver.kick()
            try driver.expectProgress("on, after a kick")
        },
        Rule(
            102, .kicks, "Binding the same kick eventfd again does not poll it again",
            needs: [.traffic], source: "vhost_vring_ioctl, VHOST_SET_VRING_KICK"
        ) { device in
            let (client, driver) = try device.running()
            driver.rest()
            driver.post()
            try driver.bindKick(client)
            try driver.expectNoProgress("bound again, still signalled")
            driver.kick()
            try driver.expectProgress("after a kick")
        },
    ]

    /// A reset, with the maps made anew as a client without IOTLB_PERSIST must.
    private static func remap(_ client: RuleClient, _ driver: OnePageDriver) throws(RuleInterruption) {
        try expect("reset", client.setStatus(0))
        try expect("INVALIDATE", driver.unmap(client))
        try expect("UPDATE", driver.map(client))
    }
}
