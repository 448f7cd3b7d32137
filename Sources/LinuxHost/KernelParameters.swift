internal import SystemPackage

/// What the parameters of the kernel's modules say.
package enum KernelParameters {
    /// The most entries that an address space can hold: the smaller `max_iotlb_entries` of vhost_vdpa and vdpa_sim, of
    /// those that are loaded. `nil` where neither says, or says 0, which is no limit.
    package static var maximumIOTLBEntries: Int? {
        smallestLimit { KernelText.firstWord($0) }
    }

    /// The same out of the first word of each file.
    static func smallestLimit(firstWord: (FilePath) -> String?) -> Int? {
        ["vhost_vdpa", "vdpa_sim"].compactMap { module in
            firstWord(FilePath("/sys/module/\(module)/parameters/max_iotlb_entries")).flatMap { Int($0) }
        }.filter { $0 > 0 }.min()
    }
}
