/** Part of the cache's key: raise it when a patch or a stand-in under `subprojects/` changes what is built. */
export const PATCH_LEVEL = 0;

/** Changes to the worker's sources: each `find` must occur exactly once. */
export const PATCHES = [
  {
    // The callback answers 1 to every control call. With an OpenSSL that was built with kernel TLS (Debian's is), 1 to
    // BIO_CTRL_GET_KTLS_SEND reads as "kTLS is on": OpenSSL makes no write buffer and the worker dies with SIGSEGV at the first
    // ServerHello. On the way back OpenSSL sets BIO_CB_RETURN *beside* the operation, so it has to be tested as a bit.
    file: 'src/RTC/DtlsTransport.cpp',
    find: '(operationType == BIO_CB_RETURN)',
    replace: '(operationType & BIO_CB_RETURN)',
  },
];
