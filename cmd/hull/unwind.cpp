// A static executable's start-up code registers its unwind tables with libgcc, which sorts them all
// (8 million instructions) when the first exception is thrown. hull is linked with the sorted index
// that dynamic executables have (--eh-frame-hdr), which libgcc finds by dl_iterate_phdr(3): the
// linker turns the two calls into these (--wrap).

extern "C" {
void __wrap___register_frame_info(const void*, void*) {}
void* __wrap___deregister_frame_info(const void*) { return nullptr; }
}
