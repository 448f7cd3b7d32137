/// Whether the backend makes the device answer for the maps it was given in a batch.
///
/// The kernel calls the parent's `set_map` at BATCH_END and drops its result, so a device can be left with an
/// empty table while every write has succeeded. An UPDATE outside a batch does report `set_map`'s answer, and
/// `set_map` always gets the whole table. So one page of the change's smallest section is held back and sent
/// after BATCH_END. No more than a page, because outside a batch every physically contiguous run of an UPDATE
/// calls `set_map` (vhost_vdpa_pa_map), and each call rebuilds the device's whole table.
///
/// Cost: nothing is pinned twice; on a parent with `set_map` one more call of it per change, none on other
/// parents. Number of messages: one UPDATE more than without it, unless the smallest section is a single page.
/// An INVALIDATE of the section takes both of its entries, so unmapping costs no message more.
///
/// Not verified: changes without an UPDATE, and changes whose every UPDATE lies where the same change unmaps:
/// that memory may be in use, and held back it would be gone for a moment.
public enum MapVerification: String, CaseIterable, Hashable, Sendable {
    /// Every change that maps something is verified.
    case always
    /// None is; a device that lost its table shows only by its faults.
    case never
}
