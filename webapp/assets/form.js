// Mounts form-js viewers; filled in below.
