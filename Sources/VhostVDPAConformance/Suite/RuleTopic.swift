/// What a rule is about: the heading it stands under.
package enum RuleTopic: String, CaseIterable, Sendable {
    case ownership = "The file and its owner"
    case backendFeatures = "Backend features"
    case status = "Features and status"
    case configuration = "Configuration"
    case groups = "Groups and address spaces"
    case vrings = "Vrings"
    case suspend = "Suspend and resume"
    case kicks = "Kicks and calls"
    case doorbell = "Doorbells"
    case messages = "IOTLB messages"
    case batches = "Batches"
    case pinning = "Pinned and virtual addresses"
    case persistence = "Reset and persistence"
    case controlQueue = "Control queue"
}
