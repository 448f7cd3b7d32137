package import GuestMemory

/// A device access that did not translate, and the queue that made it.
package struct RecordedFault: Hashable, Sendable {
    package let fault: TranslationFault
    package let queue: Int

    package init(fault: TranslationFault, queue: Int) {
        self.fault = fault
        self.queue = queue
    }
}
