// The shared library has no code of its own: it is sluice_client_core, and CMake wants a source file to know the language.
