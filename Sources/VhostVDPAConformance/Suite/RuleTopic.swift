/// What a rule is about: the heading it stands under.
public enum RuleTopic: String, CaseIterable, Sendable {
    /// Who may open a device and call it.
    case ownership = "The file and its owner"
    /// What vhost-vdpa offers beside the device's own features.
    case backendFeatures = "Backend features"
    /// Features, FEATURES_OK, DRIVER_OK and a reset.
    case status = "Features and status"
    /// The configuration space.
    case configuration = "Configuration"
    /// Groups of queues, and the address spaces that they translate with.
    case groups = "Groups and address spaces"
    /// What is set of a queue, and what it answers.
    case vrings = "Vrings"
    /// SUSPEND and RESUME.
    case suspend = "Suspend and resume"
    /// The eventfds of a queue.
    case kicks = "Kicks and calls"
    /// Doorbell pages that can be mapped.
    case doorbell = "Doorbells"
    /// UPDATE and INVALIDATE.
    case messages = "IOTLB messages"
    /// BATCH_BEGIN and BATCH_END.
    case batches = "Batches"
    /// What becomes of the memory behind a map.
    case pinning = "Pinned and virtual addresses"
    /// What a reset and a close leave of the maps.
    case persistence = "Reset and persistence"
    /// The control queue of vdpa_sim_net.
    case controlQueue = "Control queue"
}
