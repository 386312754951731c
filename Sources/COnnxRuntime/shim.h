// The few entries of ONNX Runtime's C interface that Semblance calls.
//
// The library is opened at run time and exports one function, OrtGetApiBase. It leads to a table of function
// pointers that only ever grows at its end, so an entry's index never changes. Each function below is one entry:
// its index in the table, and the types of its parameters.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct OrtStatus OrtStatus;
typedef struct OrtEnv OrtEnv;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtValue OrtValue;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;

/// The table: `entry[i]` is a function pointer.
typedef struct { const void *_Nonnull entry[1]; } OrtTable;

/// What OrtGetApiBase returns.
typedef struct {
    const OrtTable *_Nullable (*_Nonnull get_table)(uint32_t version);
    const char *_Nonnull (*_Nonnull get_version)(void);
} OrtBase;

#define SEMBLANCE_ORT_API_VERSION 17

static inline const OrtBase *_Nullable ort_base(void *_Nonnull OrtGetApiBase) {
    return ((const OrtBase * (*)(void))OrtGetApiBase)();
}
static inline const OrtTable *_Nullable ort_table(const OrtBase *_Nonnull base) {
    return base->get_table(SEMBLANCE_ORT_API_VERSION);
}
static inline const char *_Nonnull ort_version(const OrtBase *_Nonnull base) { return base->get_version(); }

#define ORT_CALL(index, result, ...) ((result (*)(__VA_ARGS__))table->entry[index])
typedef const OrtTable *_Nonnull Table;
typedef OrtStatus *_Nullable Status;

static inline int ort_error_code(Table table, const OrtStatus *_Nonnull status) {
    return ORT_CALL(1, int, const OrtStatus *)(status);
}
static inline const char *_Nonnull ort_error_message(Table table, const OrtStatus *_Nonnull status) {
    return ORT_CALL(2, const char *, const OrtStatus *)(status);
}
static inline void ort_release_status(Table table, OrtStatus *_Nonnull status) {
    ORT_CALL(93, void, OrtStatus *)(status);
}

static inline Status ort_create_env(Table table, int level, const char *_Nonnull name, OrtEnv *_Nullable *_Nonnull out) {
    return ORT_CALL(3, OrtStatus *, int, const char *, OrtEnv **)(level, name, out);
}
static inline Status ort_disable_telemetry(Table table, const OrtEnv *_Nonnull env) {
    return ORT_CALL(6, OrtStatus *, const OrtEnv *)(env);
}
static inline void ort_release_env(Table table, OrtEnv *_Nonnull env) { ORT_CALL(92, void, OrtEnv *)(env); }

static inline Status ort_create_options(Table table, OrtSessionOptions *_Nullable *_Nonnull out) {
    return ORT_CALL(10, OrtStatus *, OrtSessionOptions **)(out);
}
static inline Status ort_set_optimization(Table table, OrtSessionOptions *_Nonnull options, int level) {
    return ORT_CALL(23, OrtStatus *, OrtSessionOptions *, int)(options, level);
}
static inline Status ort_set_threads(Table table, OrtSessionOptions *_Nonnull options, int count) {
    return ORT_CALL(24, OrtStatus *, OrtSessionOptions *, int)(options, count);
}
static inline Status ort_add_config(
    Table table, OrtSessionOptions *_Nonnull options, const char *_Nonnull key, const char *_Nonnull value
) {
    return ORT_CALL(130, OrtStatus *, OrtSessionOptions *, const char *, const char *)(options, key, value);
}
static inline Status ort_add_external_initializers(
    Table table, OrtSessionOptions *_Nonnull options, const char *_Nullable const *_Nonnull names,
    const OrtValue *_Nullable const *_Nonnull values, size_t count
) {
    return ORT_CALL(210, OrtStatus *, OrtSessionOptions *, const char *const *, const OrtValue *const *, size_t)(
        options, names, values, count);
}
static inline void ort_release_options(Table table, OrtSessionOptions *_Nonnull options) {
    ORT_CALL(100, void, OrtSessionOptions *)(options);
}

static inline Status ort_create_session(
    Table table, const OrtEnv *_Nonnull env, const void *_Nonnull model, size_t length,
    const OrtSessionOptions *_Nonnull options, OrtSession *_Nullable *_Nonnull out
) {
    return ORT_CALL(8, OrtStatus *, const OrtEnv *, const void *, size_t, const OrtSessionOptions *, OrtSession **)(
        env, model, length, options, out);
}
static inline Status ort_run(
    Table table, OrtSession *_Nonnull session, const char *_Nonnull input_name, const OrtValue *_Nonnull input,
    const char *_Nonnull output_name, OrtValue *_Nullable *_Nonnull output
) {
    const char *input_names[1] = {input_name};
    const OrtValue *inputs[1] = {input};
    const char *output_names[1] = {output_name};
    return ORT_CALL(9, OrtStatus *, OrtSession *, const void *, const char *const *, const OrtValue *const *, size_t,
                    const char *const *, size_t, OrtValue **)(
        session, 0, input_names, inputs, 1, output_names, 1, output);
}
static inline void ort_release_session(Table table, OrtSession *_Nonnull session) {
    ORT_CALL(95, void, OrtSession *)(session);
}

static inline Status ort_create_memory_info(Table table, OrtMemoryInfo *_Nullable *_Nonnull out) {
    return ORT_CALL(69, OrtStatus *, int, int, OrtMemoryInfo **)(1, 0, out);
}
static inline void ort_release_memory_info(Table table, OrtMemoryInfo *_Nonnull info) {
    ORT_CALL(94, void, OrtMemoryInfo *)(info);
}

static inline Status ort_create_tensor(
    Table table, const OrtMemoryInfo *_Nonnull info, void *_Nonnull data, size_t bytes, const int64_t *_Nonnull shape,
    size_t rank, int element_type, OrtValue *_Nullable *_Nonnull out
) {
    return ORT_CALL(49, OrtStatus *, const OrtMemoryInfo *, void *, size_t, const int64_t *, size_t, int, OrtValue **)(
        info, data, bytes, shape, rank, element_type, out);
}
static inline Status ort_tensor_data(Table table, OrtValue *_Nonnull value, void *_Nullable *_Nonnull out) {
    return ORT_CALL(51, OrtStatus *, OrtValue *, void **)(value, out);
}
static inline Status ort_tensor_info(
    Table table, const OrtValue *_Nonnull value, OrtTensorTypeAndShapeInfo *_Nullable *_Nonnull out
) {
    return ORT_CALL(65, OrtStatus *, const OrtValue *, OrtTensorTypeAndShapeInfo **)(value, out);
}
static inline Status ort_element_count(Table table, const OrtTensorTypeAndShapeInfo *_Nonnull info, size_t *_Nonnull out) {
    return ORT_CALL(64, OrtStatus *, const OrtTensorTypeAndShapeInfo *, size_t *)(info, out);
}
static inline void ort_release_tensor_info(Table table, OrtTensorTypeAndShapeInfo *_Nonnull info) {
    ORT_CALL(99, void, OrtTensorTypeAndShapeInfo *)(info);
}
static inline void ort_release_value(Table table, OrtValue *_Nonnull value) { ORT_CALL(96, void, OrtValue *)(value); }

#undef ORT_CALL
