internal import CLinux
public import GuestMemory
public import SystemPackage
public import Virtio

/// The virtqueues. All of these need the owner (EPERM) and an index below the count (ENOBUFS).
extension VhostVDPADevice {
    /// GET_VRING_NUM: the largest size a queue can have.
    public func maximumVringSize() throws(VhostVDPAError) -> UInt16 {
        var value: UInt16 = 0
        try call(clinux_vdpa_get_vring_num, with: &value)
        return value
    }

    /// GET_VRING_SIZE: the largest size of one queue. EOPNOTSUPP where the parent has only one for all.
    public func maximumSize(of vring: VringIndex) throws(VhostVDPAError) -> UInt32 {
        try state(clinux_vdpa_get_vring_size, vring)
    }

    /// SET_VRING_NUM: the number of descriptors. EINVAL unless a power of two up to the maximum.
    public func setSize(_ size: UInt16, of vring: VringIndex) throws(VhostVDPAError) {
        try setState(clinux_vhost_set_vring_num, vring, UInt32(size))
    }

    /// SET_VRING_ADDR: where the ring's areas stand, as the device addresses them.
    ///
    /// EINVAL for a misaligned area, and on a running device that is not suspended.
    public func setAddresses(
        descriptors: IOVirtualAddress, avail: IOVirtualAddress, used: IOVirtualAddress, of vring: VringIndex
    ) throws(VhostVDPAError) {
        var value = vhost_vring_addr()
        value.index = vring.rawValue
        value.desc_user_addr = descriptors.rawValue
        value.avail_user_addr = avail.rawValue
        value.used_user_addr = used.rawValue
        try call(clinux_vhost_set_vring_addr, with: &value)
    }

    /// SET_VRING_BASE: where the ring goes on. EINVAL on a running device that is not suspended.
    public func setBase(_ base: VringBase, of vring: VringIndex) throws(VhostVDPAError) {
        try setState(clinux_vhost_set_vring_base, vring, base.rawValue)
    }

    /// GET_VRING_BASE: where the ring stands. Only to be trusted once the device is suspended.
    ///
    /// EOPNOTSUPP where the parent has no ring state to give (vp_vdpa).
    public func base(of vring: VringIndex) throws(VhostVDPAError) -> VringBase {
        VringBase(rawValue: try state(clinux_vhost_get_vring_base, vring))
    }

    /// SET_VRING_KICK: the eventfd through which the driver kicks; `nil` unbinds.
    ///
    /// An eventfd that is signalled already kicks at once, but binding the same one again does not poll it.
    public func setKick(_ descriptor: FileDescriptor?, of vring: VringIndex) throws(VhostVDPAError) {
        try setFile(clinux_vhost_set_vring_kick, vring, descriptor)
    }

    /// SET_VRING_CALL: the eventfd through which the device calls; `nil` unbinds. A reset forgets it.
    public func setCall(_ descriptor: FileDescriptor?, of vring: VringIndex) throws(VhostVDPAError) {
        try setFile(clinux_vhost_set_vring_call, vring, descriptor)
    }

    /// SET_VRING_ERR: an eventfd for errors; `nil` unbinds.
    public func setError(_ descriptor: FileDescriptor?, of vring: VringIndex) throws(VhostVDPAError) {
        try setFile(clinux_vhost_set_vring_err, vring, descriptor)
    }

    /// SET_VRING_ENABLE: whether the device serves the queue. The kernel checks nothing.
    public func setEnabled(_ isEnabled: Bool, of vring: VringIndex) throws(VhostVDPAError) {
        try setState(clinux_vdpa_set_vring_enable, vring, isEnabled ? 1 : 0)
    }

    /// GET_VRING_GROUP: the group a queue belongs to.
    public func group(of vring: VringIndex) throws(VhostVDPAError) -> VringGroup {
        VringGroup(rawValue: try state(clinux_vdpa_get_vring_group, vring))
    }

    /// GET_VRING_DESC_GROUP: the group of a queue's descriptor table.
    public func descriptorGroup(of vring: VringIndex) throws(VhostVDPAError) -> VringGroup {
        VringGroup(rawValue: try state(clinux_vdpa_get_vring_desc_group, vring))
    }

    /// SET_GROUP_ASID: the address space a group translates through. A reset puts every group back into 0.
    public func setAddressSpace(_ space: AddressSpaceID, of group: VringGroup) throws(VhostVDPAError) {
        var value = vhost_vring_state(index: group.rawValue, num: space.rawValue)
        try call(clinux_vdpa_set_group_asid, with: &value)
    }

    private func state(_ request: UInt, _ vring: VringIndex) throws(VhostVDPAError) -> UInt32 {
        var value = vhost_vring_state(index: vring.rawValue, num: 0)
        try call(request, with: &value)
        return value.num
    }

    private func setState(_ request: UInt, _ vring: VringIndex, _ number: UInt32) throws(VhostVDPAError) {
        var value = vhost_vring_state(index: vring.rawValue, num: number)
        try call(request, with: &value)
    }

    private func setFile(
        _ request: UInt, _ vring: VringIndex, _ descriptor: FileDescriptor?
    ) throws(VhostVDPAError) {
        var value = vhost_vring_file(index: vring.rawValue, fd: descriptor?.rawValue ?? -1)
        try call(request, with: &value)
    }
}
