/// What a fault of a simulated device does: its row in docs/simulated-devices.md, and what its words promise.
struct FaultRow: Sendable {
    /// The value of `fault=`; empty for a device that is well.
    let fault: String
    /// The columns of the document.
    let occurrence: String
    let run: String
    let check: String
    /// The exit status of `emu run` with stops, and words of what it says.
    let status: Int32
    let words: String
    /// The rules that `emu check` may find broken.
    let rules: Set<Int>

    /// The line of the document's table.
    var line: String { "| `\(fault)` | \(occurrence) | \(run) | \(check) |" }

    static func row(of choice: DeviceChoice) -> FaultRow {
        guard let fault = choice[.fault] else { return well }
        return table.first { $0.fault == fault } ?? well
    }

    private static let well = FaultRow(
        fault: "", occurrence: "", run: "", check: "", status: 0, words: "OK: ", rules: [])

    static let table: [FaultRow] = [
        FaultRow(
            fault: "loses-maps",
            occurrence: "IOTLB_PERSIST is offered, and every reset loses the maps all the same",
            run: "DMA faults, status 1; with `--persist off` nothing",
            check: "fails what PERSIST promises (62, 65, 66, 68)", status: 1, words: "DMA fault",
            rules: [62, 65, 66, 68]),
        FaultRow(
            fault: "set-map", occurrence: "`set_map` fails; at BATCH_END nobody is told",
            run: "verification notices: status 2, the region is named",
            check: "nothing can be asked of a device that takes no map: status 2", status: 2,
            words: "the parent driver's set_map failed", rules: []),
        FaultRow(
            fault: "map-half-way",
            occurrence: "the third entry is refused (not with `set_map`, which has no half way)",
            run: "status 2, the region is named, nothing stays mapped",
            check: "fails what takes three entries (45, 49, 58, 59, 61)", status: 2,
            words: "the device refused memory", rules: [45, 49, 58, 59, 61]),
        FaultRow(
            fault: "suspend", occurrence: "SUSPEND fails, and the device runs on",
            run: "rings start over, frames in them are abandoned: the device failed to suspend, status 1",
            check: "fails what SUSPEND promises (29, 33, 105, 106)", status: 1, words: "failed to suspend",
            rules: [29, 33, 105, 106]),
        FaultRow(
            fault: "late", occurrence: "the device takes 20 ms longer for everything", run: "status 0",
            check: "fails nothing", status: 0, words: "OK: ", rules: []),
        FaultRow(
            fault: "dies", occurrence: "NEEDS_RESET at the second start; once",
            run: "a recovery, frames in the rings are abandoned, status 1",
            check: "its silence after a second start is taken for lost maps (63, 64, 65)", status: 1,
            words: "asked for a reset once", rules: [63, 64, 65]),
    ]
}
