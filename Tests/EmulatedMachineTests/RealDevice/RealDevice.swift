import Testing

/// The backend, and machines, on a real `/dev/vhost-vdpa-N`, whose path the environment gives: there is none on
/// most machines.
///
///     scripts/kernel-vm run --device vdpasim:use_va=0 -- env EMU_TEST_DEVICE=/dev/vhost-vdpa-0 \
///         .build/debug/emuPackageTests.xctest --testing-library swift-testing --filter RealDevice
///
/// A device takes one process and one opening at a time, and locked memory and descriptors are the process's:
/// every suite here is nested in this one, so that one test runs after another. The tests run as root: they
/// raise RLIMIT_MEMLOCK and read physical addresses.
@Suite(
    .serialized, .timeLimit(.minutes(15)),
    .enabled(if: KernelDevice.path != nil, "EMU_TEST_DEVICE does not name a vhost-vdpa device"))
enum RealDevice {}
