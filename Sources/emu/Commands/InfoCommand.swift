internal import ArgumentParser
internal import EmulatedMachine
internal import Logging

/// `emu info`: what a device offers.
struct InfoCommand: EmuCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Shows what a device offers: features, queues, groups, address spaces, configuration.",
        discussion: """
            The device is opened, which resets it and needs it to be nobody else's.

            Examples:
              emu info --device /dev/vhost-vdpa-0
              emu info --device sim,kernel=6.1 --json
            """
    )

    @OptionGroup var deviceOption: DeviceOption
    @OptionGroup var output: OutputOptions

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        let device = deviceOption.device
        let information: DeviceInformation
        do throws(MachineError) {
            information = try DeviceInformation.gather(device, logger: output.makeLogger())
        } catch {
            throw StartError("\(error)")
        }
        output.print(InformationSummary(information).text)
        if output.json { Console.output(JSONText.encode(information)) }
        return .done
    }
}
