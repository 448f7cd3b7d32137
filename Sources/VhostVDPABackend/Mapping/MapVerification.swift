/// Whether the backend makes the device answer for the maps it was given in a batch.
///
/// The kernel calls the parent's `set_map` at BATCH_END and drops its result, so a device can be left with an
/// empty table while every write has succeeded. An UPDATE outside a batch does report `set_map`'s answer, and
/// `set_map` always gets the whole table. So one small UPDATE of the change is held back and sent after
/// BATCH_END: a whole section of at most sixteen pages, or else one page of the smallest section.
///
/// Cost: nothing is pinned twice; on a parent with `set_map` one more call of it per change (at most sixteen,
/// one for each physically contiguous run of the small section), none on other parents. Number of messages: as
/// without it, one more where a page had to be cut off.
///
/// Not verified: changes without an UPDATE, and changes whose every UPDATE lies where the same change unmaps:
/// that memory may be in use, and held back it would be gone for a moment.
public enum MapVerification: String, CaseIterable, Hashable, Sendable {
    /// Every change that maps something is verified.
    case always
    /// None is; a device that lost its table shows only by its faults.
    case never
}
