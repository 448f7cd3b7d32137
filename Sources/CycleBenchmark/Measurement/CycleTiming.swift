/// What one cycle took, in nanoseconds.
package struct CycleTiming: Hashable, Sendable {
    /// Stop and start, without what lies between them.
    package let total: UInt64
    /// Each phase; empty where only the whole was measured.
    package let phases: [CyclePhase: UInt64]
    /// From the first call to the end of the last that enables a queue, where that was asked for.
    package let span: UInt64?
}
