public import GuestMemory
public import VhostVDPABackend

// The backend knows the address space only as a place to sign on.
extension AddressSpace: ListenerRegistry {}
