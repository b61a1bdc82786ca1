module wasi-sidecar.example/guests

go 1.21
