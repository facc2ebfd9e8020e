/* A stand-in for libnvidia-ml.so.1 whose GPUs draw a power that is a closed form of CLOCK_MONOTONIC.
 *
 * What its GPUs are and how they misbehave is read from the file that the environment variable NVML_STANDIN_CONFIG
 * names, each time the library is initialised from scratch (first nvmlInit, or the next one after the last
 * nvmlShutdown). tests/nvml_standin/scenario.py writes that file and knows the true integral of the same closed form.
 *
 * A power limit that is set is kept in a file beside that one, with ".limit-INDEX" at its end, since a driver keeps it for
 * all processes.
 *
 * Times in the file are nanoseconds of CLOCK_MONOTONIC; 0 means never. A "code" is what a call answers, as NVML counts
 * its errors; 0 lets the call work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "nvml_declarations.h"
#include "layout_check.h"

#define MAX_GPUS 16
#define MAX_SLICES 8
#define MAX_PROCESSES 16
#define PI 3.14159265358979323846

typedef enum { CONSTANT, SINE, SQUARE, SAW } Shape;

typedef enum { COMPUTE, GRAPHICS, MPS } ListKind;

/* A process on a GPU, from one moment to another (0 is for ever), and how busy it keeps the multiprocessors. */
typedef struct {
    unsigned int pid, percent;
    ListKind list;
    long long from_ns, until_ns;
} Process;

typedef struct Device {
    int is_slice;
    struct Device *parent;
    unsigned int index;
    char uuid[96];
    char name[96];
    /* GPUs */
    char bus_id[32];
    unsigned int architecture;
    Shape shape;
    double watts, amplitude_watts, period_seconds;
    long long origin_ns;
    double counter_start_joules;
    long long tick_ns, tick_phase_ns, power_tick_ns;
    long long reset_at_ns, lost_at_ns, hang_at_ns, zero_from_ns, fail_from_ns, fail_until_ns;
    int fail_code;
    long slow_ms;
    int handle_code, energy_code, fields_code, instant_code, average_code, power_code, utilization_code, limit_code;
    int power_is_average, field_type;
    unsigned int utilization, limit_milliwatts;
    int set_limit_code, follows_limit;
    char limit_file[512];
    unsigned int celsius, sm_megahertz, memory_megahertz;
    unsigned long long event_reasons, memory_used_bytes;
    long long throttle_from_ns, throttle_until_ns, gauges_hang_at_ns;
    int gauges_code, older_reasons;
    int c2c, c2c_code;
    char serial[32];
    double module_watts, memory_watts;
    unsigned int module_limit_milliwatts;
    unsigned int first_energy_calls, energy_calls;
    int first_energy_code;
    int mig_enabled, mig_code, profiles_code;
    unsigned int max_slices, slice_count;
    struct Device *slices;
    unsigned int process_count;
    Process processes[MAX_PROCESSES];
    int processes_code, samples_code, samples_garbage;
    long long sample_ns;
    /* MIG slices */
    unsigned int gpu_instance, compute_instance, gpu_slices, compute_slices;
    int attributes_code;
} Device;

/* Scenarios are never freed: a handle that outlives a shutdown must stay harmless, as it is with a real driver. */
typedef struct {
    int init_code;
    long init_ms;
    unsigned int gpu_count;
    char driver_version[80];
    Device gpus[MAX_GPUS];
} World;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static World *world = NULL;
static int references = 0;

/* ---- how often each call was made, for tests of "one query a tick" ---- */

typedef enum { CALLS_INIT, CALLS_ENERGY, CALLS_POWER, CALLS_FIELDS, CALLS_UTILIZATION, CALLS_TEMPERATURE, CALLS_OTHER, CALLS_KINDS } Calls;
static unsigned long long calls[CALLS_KINDS];
static const char *const call_names[CALLS_KINDS] = {"init", "energy", "power", "fields", "utilization", "temperature", "other"};

unsigned long long standinCalls(const char *kind);
unsigned long long standinCalls(const char *kind) {
    for (int i = 0; i < CALLS_KINDS; i++)
        if (strcmp(kind, call_names[i]) == 0) return __atomic_load_n(&calls[i], __ATOMIC_SEQ_CST);
    return 0;
}

static void count(Calls kind) { __atomic_add_fetch(&calls[kind], 1, __ATOMIC_SEQ_CST); }

/* ---- the closed form ---- */

/* What the clock shows, where a test moves it; 0: the time goes by itself. */
static long long held_ns = 0;
void standinHold(long long at_ns);
void standinHold(long long at_ns) { __atomic_store_n(&held_ns, at_ns, __ATOMIC_SEQ_CST); }

static long long now_ns(void) {
    long long held = __atomic_load_n(&held_ns, __ATOMIC_SEQ_CST);
    if (held) return held;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* When troubles happen: the clock, set forward by a test that need not wait for them. */
static long long leap_ns = 0;
void standinLeap(long long nanoseconds);
void standinLeap(long long nanoseconds) { __atomic_add_fetch(&leap_ns, nanoseconds, __ATOMIC_SEQ_CST); }
static long long trouble_ns(void) { return now_ns() + __atomic_load_n(&leap_ns, __ATOMIC_SEQ_CST); }

/* The power limit that somebody has set, in milliwatts; else the default. */
static unsigned int limit_in_force(const Device *gpu) {
    unsigned int limit = 0;
    FILE *file = fopen(gpu->limit_file, "r");
    if (!file) return gpu->limit_milliwatts;
    if (fscanf(file, "%u", &limit) != 1) limit = gpu->limit_milliwatts;
    fclose(file);
    return limit;
}

/* The mean power, which a GPU that follows its limit lowers to it: its counter is then of use while the limit stays. */
static double mean_watts(const Device *gpu) {
    return gpu->follows_limit ? fmin(gpu->watts, limit_in_force(gpu) / 1e3) : gpu->watts;
}

static double watts_at(const Device *gpu, long long at_ns) {
    double t = (double)(at_ns - gpu->origin_ns) / 1e9, period = gpu->period_seconds, a = gpu->amplitude_watts;
    double x = t - period * floor(t / period);
    switch (gpu->shape) {
        case SINE: return mean_watts(gpu) + a * sin(2 * PI * x / period);
        case SQUARE: return mean_watts(gpu) + (x < period / 2 ? a : -a);
        case SAW: return mean_watts(gpu) + a * (2 * x / period - 1);
        default: return mean_watts(gpu);
    }
}

/* Joules from origin_ns to at_ns. */
static double joules_until(const Device *gpu, long long at_ns) {
    double t = (double)(at_ns - gpu->origin_ns) / 1e9, period = gpu->period_seconds, a = gpu->amplitude_watts;
    double x = t - period * floor(t / period);
    switch (gpu->shape) {
        case SINE: return mean_watts(gpu) * t + a * period / (2 * PI) * (1 - cos(2 * PI * x / period));
        case SQUARE: return mean_watts(gpu) * t + a * (x < period / 2 ? x : period - x);
        case SAW: return mean_watts(gpu) * t + a * (x * x / period - x);
        default: return mean_watts(gpu) * t;
    }
}

static long long on_grid(long long at_ns, long long tick_ns, long long phase_ns) {
    if (tick_ns <= 0) return at_ns;
    long long since = at_ns - phase_ns;
    return at_ns - ((since % tick_ns) + tick_ns) % tick_ns;
}

static unsigned long long counter_millijoules(const Device *gpu, long long at_ns) {
    double joules = joules_until(gpu, on_grid(at_ns, gpu->tick_ns, gpu->tick_phase_ns));
    if (gpu->reset_at_ns && at_ns >= gpu->reset_at_ns) joules -= joules_until(gpu, gpu->reset_at_ns);
    else joules += gpu->counter_start_joules;
    return joules > 0 ? (unsigned long long)(joules * 1000) : 0;
}

/* ---- the scenario file: one "key value" a line; "gpu" and "slice" begin a new block ---- */

static void to_code(int *target, const char *value) { *target = atoi(value); }

static void apply_to_gpu(Device *gpu, const char *key, const char *value) {
    if (!strcmp(key, "uuid")) snprintf(gpu->uuid, sizeof gpu->uuid, "%s", value);
    else if (!strcmp(key, "name")) snprintf(gpu->name, sizeof gpu->name, "%s", value);
    else if (!strcmp(key, "bus_id")) snprintf(gpu->bus_id, sizeof gpu->bus_id, "%s", value);
    else if (!strcmp(key, "architecture")) gpu->architecture = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "shape"))
        gpu->shape = !strcmp(value, "sine") ? SINE : !strcmp(value, "square") ? SQUARE : !strcmp(value, "saw") ? SAW : CONSTANT;
    else if (!strcmp(key, "watts")) gpu->watts = atof(value);
    else if (!strcmp(key, "amplitude_watts")) gpu->amplitude_watts = atof(value);
    else if (!strcmp(key, "period_seconds")) gpu->period_seconds = atof(value);
    else if (!strcmp(key, "origin_ns")) gpu->origin_ns = atoll(value);
    else if (!strcmp(key, "counter_start_joules")) gpu->counter_start_joules = atof(value);
    else if (!strcmp(key, "tick_ns")) gpu->tick_ns = atoll(value);
    else if (!strcmp(key, "tick_phase_ns")) gpu->tick_phase_ns = atoll(value);
    else if (!strcmp(key, "power_tick_ns")) gpu->power_tick_ns = atoll(value);
    else if (!strcmp(key, "reset_at_ns")) gpu->reset_at_ns = atoll(value);
    else if (!strcmp(key, "lost_at_ns")) gpu->lost_at_ns = atoll(value);
    else if (!strcmp(key, "hang_at_ns")) gpu->hang_at_ns = atoll(value);
    else if (!strcmp(key, "fail_from_ns")) gpu->fail_from_ns = atoll(value);
    else if (!strcmp(key, "fail_until_ns")) gpu->fail_until_ns = atoll(value);
    else if (!strcmp(key, "fail_code")) to_code(&gpu->fail_code, value);
    else if (!strcmp(key, "slow_ms")) gpu->slow_ms = atol(value);
    else if (!strcmp(key, "handle_code")) to_code(&gpu->handle_code, value);
    else if (!strcmp(key, "energy_code")) to_code(&gpu->energy_code, value);
    else if (!strcmp(key, "fields_code")) to_code(&gpu->fields_code, value);
    else if (!strcmp(key, "instant_code")) to_code(&gpu->instant_code, value);
    else if (!strcmp(key, "average_code")) to_code(&gpu->average_code, value);
    else if (!strcmp(key, "power_code")) to_code(&gpu->power_code, value);
    else if (!strcmp(key, "utilization_code")) to_code(&gpu->utilization_code, value);
    else if (!strcmp(key, "limit_code")) to_code(&gpu->limit_code, value);
    else if (!strcmp(key, "power_is_average")) to_code(&gpu->power_is_average, value);
    else if (!strcmp(key, "field_type")) to_code(&gpu->field_type, value);
    else if (!strcmp(key, "zero_from_ns")) gpu->zero_from_ns = atoll(value);
    else if (!strcmp(key, "utilization")) gpu->utilization = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "limit_milliwatts")) gpu->limit_milliwatts = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "set_limit_code")) to_code(&gpu->set_limit_code, value);
    else if (!strcmp(key, "follows_limit")) to_code(&gpu->follows_limit, value);
    else if (!strcmp(key, "celsius")) gpu->celsius = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "sm_megahertz")) gpu->sm_megahertz = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "memory_megahertz")) gpu->memory_megahertz = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "event_reasons")) gpu->event_reasons = strtoull(value, NULL, 10);
    else if (!strcmp(key, "memory_used_bytes")) gpu->memory_used_bytes = strtoull(value, NULL, 10);
    else if (!strcmp(key, "throttle_from_ns")) gpu->throttle_from_ns = atoll(value);
    else if (!strcmp(key, "throttle_until_ns")) gpu->throttle_until_ns = atoll(value);
    else if (!strcmp(key, "gauges_hang_at_ns")) gpu->gauges_hang_at_ns = atoll(value);
    else if (!strcmp(key, "gauges_code")) to_code(&gpu->gauges_code, value);
    else if (!strcmp(key, "older_reasons")) to_code(&gpu->older_reasons, value);
    else if (!strcmp(key, "c2c")) to_code(&gpu->c2c, value);
    else if (!strcmp(key, "c2c_code")) to_code(&gpu->c2c_code, value);
    else if (!strcmp(key, "serial")) snprintf(gpu->serial, sizeof gpu->serial, "%s", value);
    else if (!strcmp(key, "module_watts")) gpu->module_watts = atof(value);
    else if (!strcmp(key, "module_limit_milliwatts")) gpu->module_limit_milliwatts = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "memory_watts")) gpu->memory_watts = atof(value);
    else if (!strcmp(key, "first_energy_calls")) gpu->first_energy_calls = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "first_energy_code")) to_code(&gpu->first_energy_code, value);
    else if (!strcmp(key, "mig_enabled")) to_code(&gpu->mig_enabled, value);
    else if (!strcmp(key, "mig_code")) to_code(&gpu->mig_code, value);
    else if (!strcmp(key, "profiles_code")) to_code(&gpu->profiles_code, value);
    else if (!strcmp(key, "max_slices")) gpu->max_slices = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "processes_code")) to_code(&gpu->processes_code, value);
    else if (!strcmp(key, "samples_code")) to_code(&gpu->samples_code, value);
    else if (!strcmp(key, "samples_garbage")) to_code(&gpu->samples_garbage, value);
    else if (!strcmp(key, "sample_ns")) gpu->sample_ns = atoll(value);
    else if (!strcmp(key, "process") && gpu->process_count < MAX_PROCESSES) {
        Process *process = &gpu->processes[gpu->process_count];
        char list[16] = "";
        if (sscanf(value, "%u %15s %u %lld %lld", &process->pid, list, &process->percent, &process->from_ns,
                   &process->until_ns) == 5) {
            process->list = !strcmp(list, "graphics") ? GRAPHICS : !strcmp(list, "mps") ? MPS : COMPUTE;
            gpu->process_count++;
        } else fprintf(stderr, "nvml stand-in: no process: %s\n", value);
    }
    else fprintf(stderr, "nvml stand-in: unknown key %s\n", key);
}

static void apply_to_slice(Device *slice, const char *key, const char *value) {
    if (!strcmp(key, "uuid")) snprintf(slice->uuid, sizeof slice->uuid, "%s", value);
    else if (!strcmp(key, "name")) snprintf(slice->name, sizeof slice->name, "%s", value);
    else if (!strcmp(key, "gpu_instance")) slice->gpu_instance = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "compute_instance")) slice->compute_instance = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "gpu_slices")) slice->gpu_slices = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "compute_slices")) slice->compute_slices = (unsigned int)strtoul(value, NULL, 10);
    else if (!strcmp(key, "attributes_code")) to_code(&slice->attributes_code, value);
    else fprintf(stderr, "nvml stand-in: unknown key of a slice %s\n", key);
}

static World *read_world(void) {
    World *fresh = calloc(1, sizeof *fresh);
    const char *path = getenv("NVML_STANDIN_CONFIG");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!fresh) return NULL;
    if (!file) {
        fresh->init_code = NVML_ERROR_DRIVER_NOT_LOADED;
        return fresh;
    }
    char line[512];
    Device *gpu = NULL, *slice = NULL;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *space = strchr(line, ' ');
        const char *value = space ? space + 1 : "";
        if (space) *space = 0;
        if (!line[0]) continue;
        if (!strcmp(line, "gpu") && fresh->gpu_count < MAX_GPUS) {
            gpu = &fresh->gpus[fresh->gpu_count];
            gpu->index = fresh->gpu_count++;
            gpu->period_seconds = 1;
            gpu->field_type = NVML_VALUE_TYPE_UNSIGNED_INT;
            snprintf(gpu->limit_file, sizeof gpu->limit_file, "%s.limit-%u", path, gpu->index);
            gpu->slices = calloc(MAX_SLICES, sizeof *gpu->slices);
            slice = NULL;
        } else if (!strcmp(line, "slice") && gpu && gpu->slice_count < MAX_SLICES) {
            slice = &gpu->slices[gpu->slice_count];
            slice->index = gpu->slice_count++;
            slice->is_slice = 1;
            slice->parent = gpu;
        } else if (slice) apply_to_slice(slice, line, value);
        else if (gpu) apply_to_gpu(gpu, line, value);
        else if (!strcmp(line, "init_code")) fresh->init_code = atoi(value);
        else if (!strcmp(line, "init_ms")) fresh->init_ms = atol(value);
        else if (!strcmp(line, "driver_version")) snprintf(fresh->driver_version, sizeof fresh->driver_version, "%s", value);
        else fprintf(stderr, "nvml stand-in: unknown key %s\n", line);
    }
    fclose(file);
    return fresh;
}

/* ---- what every call checks first ---- */

static void sleep_ms(long ms) {
    struct timespec span = {ms / 1000, (ms % 1000) * 1000000L};
    while (nanosleep(&span, &span) == -1 && errno == EINTR) {}
}

static nvmlReturn_t check(const Device *device) {
    if (references == 0) return NVML_ERROR_UNINITIALIZED;
    if (!device) return NVML_ERROR_INVALID_ARGUMENT;
    const Device *gpu = device->is_slice ? device->parent : device;
    return gpu->lost_at_ns && trouble_ns() >= gpu->lost_at_ns ? NVML_ERROR_GPU_IS_LOST : NVML_SUCCESS;
}

/* As check(), for calls that ask the hardware: these can be slow, hang or fail for a while. */
static nvmlReturn_t check_reading(const Device *device) {
    nvmlReturn_t code = check(device);
    if (code != NVML_SUCCESS) return code;
    const Device *gpu = device->is_slice ? device->parent : device;
    if (gpu->slow_ms) sleep_ms(gpu->slow_ms);
    if (gpu->hang_at_ns && trouble_ns() >= gpu->hang_at_ns) sleep_ms(3600L * 1000);
    long long now = trouble_ns();
    if (gpu->fail_from_ns && now >= gpu->fail_from_ns && (!gpu->fail_until_ns || now < gpu->fail_until_ns))
        return (nvmlReturn_t)gpu->fail_code;
    return check(device);
}

static nvmlReturn_t put(char *target, unsigned int length, const char *text) {
    if (!target) return NVML_ERROR_INVALID_ARGUMENT;
    if (strlen(text) + 1 > length) return NVML_ERROR_INSUFFICIENT_SIZE;
    strcpy(target, text);
    return NVML_SUCCESS;
}

#define DEVICE(handle) ((Device *)(handle))
#define HANDLE(device) ((nvmlDevice_t)(void *)(device))
#define RETURN_IF(condition, code) do { if (condition) return (code); } while (0)
#define RETURN_UNLESS_OK(expression) do { nvmlReturn_t code_ = (expression); if (code_ != NVML_SUCCESS) return code_; } while (0)

/* ---- library ---- */

nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    count(CALLS_INIT);
    pthread_mutex_lock(&lock);
    nvmlReturn_t code = NVML_SUCCESS;
    if (references == 0) {
        World *fresh = read_world();
        code = fresh ? (nvmlReturn_t)fresh->init_code : NVML_ERROR_UNKNOWN;
        if (fresh) sleep_ms(fresh->init_ms);
        if (code == NVML_SUCCESS) {
            world = fresh;
            __atomic_store_n(&leap_ns, 0, __ATOMIC_SEQ_CST);
        }
    }
    if (code == NVML_SUCCESS) references++;
    pthread_mutex_unlock(&lock);
    return code;
}

nvmlReturn_t nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
nvmlReturn_t nvmlInit(void) { return nvmlInitWithFlags(0); }

nvmlReturn_t nvmlShutdown(void) {
    pthread_mutex_lock(&lock);
    nvmlReturn_t code = references ? NVML_SUCCESS : NVML_ERROR_UNINITIALIZED;
    if (references) references--;
    pthread_mutex_unlock(&lock);
    return code;
}

const char *nvmlErrorString(nvmlReturn_t result) {
    switch ((int)result) {
        case NVML_SUCCESS: return "Success";
        case NVML_ERROR_UNINITIALIZED: return "Uninitialized";
        case NVML_ERROR_INVALID_ARGUMENT: return "Invalid Argument";
        case NVML_ERROR_NOT_SUPPORTED: return "Not Supported";
        case NVML_ERROR_NO_PERMISSION: return "Insufficient Permissions";
        case NVML_ERROR_NOT_FOUND: return "Not Found";
        case NVML_ERROR_DRIVER_NOT_LOADED: return "Driver Not Loaded";
        case NVML_ERROR_TIMEOUT: return "Timeout";
        case NVML_ERROR_FUNCTION_NOT_FOUND: return "Function Not Found";
        case NVML_ERROR_GPU_IS_LOST: return "GPU is lost";
        case NVML_ERROR_RESET_REQUIRED: return "GPU requires restart";
        default: return "Unknown Error";
    }
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    RETURN_IF(references == 0, NVML_ERROR_UNINITIALIZED);
    return put(version, length, world->driver_version);
}

nvmlReturn_t nvmlSystemGetNVMLVersion(char *version, unsigned int length) {
    RETURN_IF(references == 0, NVML_ERROR_UNINITIALIZED);
    return put(version, length, "13.0.0");
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion(int *version) {
    RETURN_IF(!version, NVML_ERROR_INVALID_ARGUMENT);
    *version = 13000;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *version) { return nvmlSystemGetCudaDriverVersion(version); }

/* ---- enumeration ---- */

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *number) {
    RETURN_IF(references == 0, NVML_ERROR_UNINITIALIZED);
    RETURN_IF(!number, NVML_ERROR_INVALID_ARGUMENT);
    *number = world->gpu_count;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCount(unsigned int *number) { return nvmlDeviceGetCount_v2(number); }

static nvmlReturn_t hand_out(Device *device, nvmlDevice_t *target) {
    const Device *gpu = device->is_slice ? device->parent : device;
    RETURN_IF(gpu->handle_code != 0, (nvmlReturn_t)gpu->handle_code);
    RETURN_UNLESS_OK(check(device));
    *target = HANDLE(device);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    count(CALLS_OTHER);
    RETURN_IF(references == 0, NVML_ERROR_UNINITIALIZED);
    RETURN_IF(!device || index >= world->gpu_count, NVML_ERROR_INVALID_ARGUMENT);
    return hand_out(&world->gpus[index], device);
}

nvmlReturn_t nvmlDeviceGetHandleByIndex(unsigned int index, nvmlDevice_t *device) {
    return nvmlDeviceGetHandleByIndex_v2(index, device);
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device) {
    RETURN_IF(references == 0, NVML_ERROR_UNINITIALIZED);
    RETURN_IF(!uuid || !device, NVML_ERROR_INVALID_ARGUMENT);
    for (unsigned int i = 0; i < world->gpu_count; i++) {
        Device *gpu = &world->gpus[i];
        if (!strcmp(gpu->uuid, uuid)) return hand_out(gpu, device);
        for (unsigned int j = 0; j < gpu->slice_count; j++)
            if (!strcmp(gpu->slices[j].uuid, uuid)) return hand_out(&gpu->slices[j], device);
    }
    return NVML_ERROR_NOT_FOUND;
}

nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, nvmlDevice_t *device) {
    RETURN_IF(references == 0, NVML_ERROR_UNINITIALIZED);
    RETURN_IF(!bus_id || !device, NVML_ERROR_INVALID_ARGUMENT);
    for (unsigned int i = 0; i < world->gpu_count; i++)
        if (!strcasecmp(world->gpus[i].bus_id, bus_id)) return hand_out(&world->gpus[i], device);
    return NVML_ERROR_NOT_FOUND;
}

/* ---- identity ---- */

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    return put(name, length, DEVICE(device)->name);
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    return put(uuid, length, DEVICE(device)->uuid);
}

nvmlReturn_t nvmlDeviceGetSerial(nvmlDevice_t device, char *serial, unsigned int length) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(DEVICE(device)->is_slice || !DEVICE(device)->serial[0], NVML_ERROR_NOT_SUPPORTED);
    return put(serial, length, DEVICE(device)->serial);
}

nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned int *index) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!index, NVML_ERROR_INVALID_ARGUMENT);
    *index = DEVICE(device)->index;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMinorNumber(nvmlDevice_t device, unsigned int *minor) {
    return nvmlDeviceGetIndex(device, minor);
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!pci, NVML_ERROR_INVALID_ARGUMENT);
    memset(pci, 0, sizeof *pci);
    snprintf(pci->busId, sizeof pci->busId, "%s", DEVICE(device)->bus_id);
    sscanf(pci->busId, "%x:%x:%x", &pci->domain, &pci->bus, &pci->device);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetArchitecture(nvmlDevice_t device, nvmlDeviceArchitecture_t *architecture) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!architecture, NVML_ERROR_INVALID_ARGUMENT);
    *architecture = DEVICE(device)->architecture;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetC2cModeInfoV(nvmlDevice_t device, nvmlC2cModeInfo_v1_t *info) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!info, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(DEVICE(device)->c2c_code != 0, (nvmlReturn_t)DEVICE(device)->c2c_code);
    info->isC2cEnabled = DEVICE(device)->c2c != 0;
    return NVML_SUCCESS;
}

/* ---- readings ---- */

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device, unsigned long long *energy) {
    count(CALLS_ENERGY);
    RETURN_UNLESS_OK(check_reading(DEVICE(device)));
    RETURN_IF(!energy || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(DEVICE(device)->energy_code != 0, (nvmlReturn_t)DEVICE(device)->energy_code);
    if (__atomic_fetch_add(&DEVICE(device)->energy_calls, 1, __ATOMIC_SEQ_CST) < DEVICE(device)->first_energy_calls) {
        *energy = 0;
        return (nvmlReturn_t)DEVICE(device)->first_energy_code;
    }
    *energy = counter_millijoules(DEVICE(device), now_ns());
    return NVML_SUCCESS;
}

/* What a GPU draws, or its module or its memory, now or as the mean of the second before. */
static double shown_watts(const Device *gpu, int averaged, unsigned int scope) {
    long long at = on_grid(now_ns(), gpu->power_tick_ns, 0);
    double watts = averaged ? joules_until(gpu, at) - joules_until(gpu, at - 1000000000LL) : watts_at(gpu, at);
    if (gpu->zero_from_ns && trouble_ns() >= gpu->zero_from_ns) return 0;
    if (scope == NVML_POWER_SCOPE_MODULE) return gpu->module_watts;
    return scope == NVML_POWER_SCOPE_MEMORY ? gpu->memory_watts : watts;
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *power) {
    count(CALLS_POWER);
    RETURN_UNLESS_OK(check_reading(DEVICE(device)));
    RETURN_IF(!power || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(DEVICE(device)->power_code != 0, (nvmlReturn_t)DEVICE(device)->power_code);
    *power = (unsigned int)lround(shown_watts(DEVICE(device), DEVICE(device)->power_is_average, NVML_POWER_SCOPE_GPU) * 1000);
    return NVML_SUCCESS;
}

static void put_value(nvmlFieldValue_t *field, int type, double value) {
    memset(&field->value, 0, sizeof field->value);
    field->valueType = (nvmlValueType_t)type;
    switch (type) {
        case NVML_VALUE_TYPE_DOUBLE: field->value.dVal = value; break;
        case NVML_VALUE_TYPE_UNSIGNED_INT: field->value.uiVal = (unsigned int)llround(value); break;
        case NVML_VALUE_TYPE_UNSIGNED_LONG: field->value.ulVal = (unsigned long)llround(value); break;
        case NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: field->value.ullVal = (unsigned long long)llround(value); break;
        case NVML_VALUE_TYPE_SIGNED_LONG_LONG: field->value.sllVal = llround(value); break;
        case NVML_VALUE_TYPE_SIGNED_INT: field->value.siVal = (int)llround(value); break;
        case NVML_VALUE_TYPE_UNSIGNED_SHORT: field->value.usVal = (unsigned short)llround(value); break;
        default: memset(&field->value, 0xff, sizeof field->value); break;
    }
}

nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int number, nvmlFieldValue_t *values) {
    count(CALLS_FIELDS);
    RETURN_UNLESS_OK(check_reading(DEVICE(device)));
    RETURN_IF(!values || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    const Device *gpu = DEVICE(device);
    RETURN_IF(gpu->fields_code != 0, (nvmlReturn_t)gpu->fields_code);
    for (int i = 0; i < number; i++) {
        nvmlFieldValue_t *field = &values[i];
        struct timespec wall;
        clock_gettime(CLOCK_REALTIME, &wall);
        field->timestamp = (long long)wall.tv_sec * 1000000 + wall.tv_nsec / 1000;
        field->latencyUsec = 1;
        int averaged = field->fieldId == NVML_FI_DEV_POWER_AVERAGE, code = NVML_ERROR_NOT_SUPPORTED;
        unsigned int scope = field->scopeId;
        if (averaged || field->fieldId == NVML_FI_DEV_POWER_INSTANT) {
            if (scope == NVML_POWER_SCOPE_GPU) code = averaged ? gpu->average_code : gpu->instant_code;
            if (scope == NVML_POWER_SCOPE_MODULE && gpu->module_watts > 0) code = NVML_SUCCESS;
            /* Of the memory, GB200 and H100 show the mean alone. */
            if (scope == NVML_POWER_SCOPE_MEMORY && gpu->memory_watts > 0 && averaged) code = NVML_SUCCESS;
        }
        unsigned int limit = scope == NVML_POWER_SCOPE_GPU ? gpu->limit_milliwatts
                           : scope == NVML_POWER_SCOPE_MODULE ? gpu->module_limit_milliwatts : 0;
        int is_limit = field->fieldId == NVML_FI_DEV_POWER_MAX_LIMIT;
        if (is_limit && limit) code = NVML_SUCCESS;
        field->nvmlReturn = (nvmlReturn_t)code;
        /* NVML leaves a value undefined where nvmlReturn is an error: make it a loud one. */
        if (code != 0) put_value(field, NVML_VALUE_TYPE_UNSIGNED_INT, 4e9);
        else if (is_limit) put_value(field, NVML_VALUE_TYPE_UNSIGNED_INT, limit);
        else put_value(field, gpu->field_type, shown_watts(gpu, averaged, scope) * 1000);
    }
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *utilization) {
    count(CALLS_UTILIZATION);
    RETURN_UNLESS_OK(check_reading(DEVICE(device)));
    RETURN_IF(!utilization || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(DEVICE(device)->utilization_code != 0, (nvmlReturn_t)DEVICE(device)->utilization_code);
    utilization->gpu = DEVICE(device)->utilization;
    utilization->memory = DEVICE(device)->utilization / 2;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *limit) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!limit || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(DEVICE(device)->limit_code != 0, (nvmlReturn_t)DEVICE(device)->limit_code);
    *limit = limit_in_force(DEVICE(device));
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPowerManagementLimit(nvmlDevice_t device, unsigned int *limit) {
    return nvmlDeviceGetEnforcedPowerLimit(device, limit);
}

nvmlReturn_t nvmlDeviceGetPowerManagementDefaultLimit(nvmlDevice_t device, unsigned int *limit) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!limit || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(DEVICE(device)->limit_code != 0, (nvmlReturn_t)DEVICE(device)->limit_code);
    *limit = DEVICE(device)->limit_milliwatts;
    return NVML_SUCCESS;
}

/* As the driver does: root alone may, within the constraints, and every process sees it from then on. */
nvmlReturn_t nvmlDeviceSetPowerManagementLimit(nvmlDevice_t device, unsigned int limit) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    Device *gpu = DEVICE(device);
    RETURN_IF(gpu->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(gpu->set_limit_code != 0, (nvmlReturn_t)gpu->set_limit_code);
    RETURN_IF(limit < gpu->limit_milliwatts / 4 || limit > gpu->limit_milliwatts, NVML_ERROR_INVALID_ARGUMENT);
    char scratch[600];
    snprintf(scratch, sizeof scratch, "%s.%ld", gpu->limit_file, (long)getpid());
    FILE *file = fopen(scratch, "w");
    RETURN_IF(!file, NVML_ERROR_UNKNOWN);
    fprintf(file, "%u\n", limit);
    fclose(file);
    return rename(scratch, gpu->limit_file) == 0 ? NVML_SUCCESS : NVML_ERROR_UNKNOWN;
}

nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t device, unsigned int *lowest, unsigned int *highest) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!lowest || !highest || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(DEVICE(device)->limit_code != 0, (nvmlReturn_t)DEVICE(device)->limit_code);
    *lowest = DEVICE(device)->limit_milliwatts / 4;
    *highest = DEVICE(device)->limit_milliwatts;
    return NVML_SUCCESS;
}

/* ---- the condition of a GPU beside its power ---- */

static nvmlReturn_t check_gauge(const Device *gpu) {
    nvmlReturn_t code = check_reading(gpu);
    if (code != NVML_SUCCESS) return code;
    if (gpu->gauges_hang_at_ns && trouble_ns() >= gpu->gauges_hang_at_ns) sleep_ms(3600L * 1000);
    return (nvmlReturn_t)gpu->gauges_code;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    RETURN_UNLESS_OK(check_gauge(DEVICE(device)));
    RETURN_IF(!memory, NVML_ERROR_INVALID_ARGUMENT);
    memory->total = 80ULL << 30;
    memory->used = DEVICE(device)->memory_used_bytes;
    memory->free = memory->total - memory->used;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, nvmlTemperatureSensors_t sensor, unsigned int *celsius) {
    count(CALLS_TEMPERATURE);
    RETURN_UNLESS_OK(check_gauge(DEVICE(device)));
    RETURN_IF(!celsius || sensor != NVML_TEMPERATURE_GPU, NVML_ERROR_INVALID_ARGUMENT);
    *celsius = DEVICE(device)->celsius;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, nvmlClockType_t type, unsigned int *megahertz) {
    RETURN_UNLESS_OK(check_gauge(DEVICE(device)));
    RETURN_IF(!megahertz, NVML_ERROR_INVALID_ARGUMENT);
    *megahertz = type == NVML_CLOCK_MEM ? DEVICE(device)->memory_megahertz : DEVICE(device)->sm_megahertz;
    return NVML_SUCCESS;
}

static unsigned long long reasons_now(const Device *gpu) {
    long long now = now_ns();
    int is_over = gpu->throttle_until_ns && now >= gpu->throttle_until_ns;
    return now < gpu->throttle_from_ns || is_over ? 0 : gpu->event_reasons;
}

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device, unsigned long long *reasons) {
    RETURN_UNLESS_OK(check_gauge(DEVICE(device)));
    RETURN_IF(!reasons, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(DEVICE(device)->older_reasons != 0, NVML_ERROR_FUNCTION_NOT_FOUND);
    *reasons = reasons_now(DEVICE(device));
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *reasons) {
    RETURN_UNLESS_OK(check_gauge(DEVICE(device)));
    RETURN_IF(!reasons, NVML_ERROR_INVALID_ARGUMENT);
    *reasons = reasons_now(DEVICE(device));
    return NVML_SUCCESS;
}

/* ---- what other tools ask for beside energy ---- */

nvmlReturn_t nvmlDeviceGetComputeMode(nvmlDevice_t device, nvmlComputeMode_t *mode) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!mode, NVML_ERROR_INVALID_ARGUMENT);
    *mode = NVML_COMPUTEMODE_DEFAULT;
    return NVML_SUCCESS;
}

/* ---- processes ---- */

static int is_there(const Process *process, long long at_ns) {
    return at_ns >= process->from_ns && (!process->until_ns || at_ns < process->until_ns);
}

/* As NVML does: without room it tells how much is needed; with room to spare it tells how much was used. */
static nvmlReturn_t list_processes(const Device *device, ListKind list, unsigned int *number, nvmlProcessInfo_t *infos) {
    RETURN_UNLESS_OK(check_reading(device));
    RETURN_IF(!number, NVML_ERROR_INVALID_ARGUMENT);
    const Device *gpu = device->is_slice ? device->parent : device;
    RETURN_IF(gpu->processes_code != 0, (nvmlReturn_t)gpu->processes_code);
    long long now = trouble_ns();
    unsigned int found = 0, room = *number;
    for (unsigned int i = 0; i < gpu->process_count; i++) {
        const Process *process = &gpu->processes[i];
        if (process->list != list || !is_there(process, now)) continue;
        if (infos && found < room) {
            memset(&infos[found], 0, sizeof infos[found]);
            infos[found].pid = process->pid;
            infos[found].usedGpuMemory = 1ULL << 30;
            infos[found].gpuInstanceId = infos[found].computeInstanceId = 0xFFFFFFFFU;
        }
        found++;
    }
    *number = found;
    return found > 0 && (!infos || found > room) ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *number, nvmlProcessInfo_t *infos) {
    return list_processes(DEVICE(device), COMPUTE, number, infos);
}

nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, unsigned int *number, nvmlProcessInfo_t *infos) {
    return list_processes(DEVICE(device), GRAPHICS, number, infos);
}

nvmlReturn_t nvmlDeviceGetMPSComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *number, nvmlProcessInfo_t *infos) {
    return list_processes(DEVICE(device), MPS, number, infos);
}

/* One sample for each process that did something, as of the last moment of the grid; only those after last_seen. */
nvmlReturn_t nvmlDeviceGetProcessUtilization(nvmlDevice_t device, nvmlProcessUtilizationSample_t *samples,
                                             unsigned int *number, unsigned long long last_seen) {
    RETURN_UNLESS_OK(check_reading(DEVICE(device)));
    RETURN_IF(!number || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    const Device *gpu = DEVICE(device);
    RETURN_IF(gpu->samples_code != 0, (nvmlReturn_t)gpu->samples_code);
    RETURN_IF(gpu->mig_enabled, NVML_ERROR_NOT_SUPPORTED);
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    long long leapt = trouble_ns(), sampled = on_grid(leapt, gpu->sample_ns, 0);
    long long wall_ns = wall.tv_sec * 1000000000LL + wall.tv_nsec + (leapt - now_ns());
    /* The grid is on the monotonic clock; a margin keeps one moment from being two by the reading of two clocks. */
    unsigned long long stamp = (unsigned long long)((wall_ns - (leapt - sampled)) / 1000);
    stamp = (stamp + 2500) / 5000 * 5000;
    unsigned int found = 0, room = *number;
    for (unsigned int i = 0; i < gpu->process_count + (gpu->samples_garbage ? 1U : 0U); i++) {
        nvmlProcessUtilizationSample_t sample = {0};
        if (i == gpu->process_count) {
            sample.pid = 4242424U;
            sample.timeStamp = stamp + 1000;
            sample.smUtil = 3000000000U;
        } else {
            if (!gpu->processes[i].percent || !is_there(&gpu->processes[i], sampled) || stamp <= last_seen) continue;
            sample.pid = gpu->processes[i].pid;
            sample.timeStamp = stamp;
            sample.smUtil = gpu->processes[i].percent;
        }
        if (samples && found < room) samples[found] = sample;
        found++;
    }
    *number = found;
    RETURN_IF(found == 0, NVML_ERROR_NOT_FOUND);
    return !samples || found > room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

/* ---- MIG ---- */

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!current || !pending || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(DEVICE(device)->mig_code != 0, (nvmlReturn_t)DEVICE(device)->mig_code);
    *current = *pending = DEVICE(device)->mig_enabled ? NVML_DEVICE_MIG_ENABLE : 0;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *number) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!number || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    *number = DEVICE(device)->mig_enabled ? DEVICE(device)->max_slices : 0;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, nvmlDevice_t *slice) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!slice || DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(index >= DEVICE(device)->slice_count, NVML_ERROR_NOT_FOUND);
    *slice = HANDLE(&DEVICE(device)->slices[index]);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t slice, nvmlDevice_t *device) {
    RETURN_UNLESS_OK(check(DEVICE(slice)));
    RETURN_IF(!device || !DEVICE(slice)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    *device = HANDLE(DEVICE(slice)->parent);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t device, unsigned int *answer) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!answer, NVML_ERROR_INVALID_ARGUMENT);
    *answer = (unsigned int)DEVICE(device)->is_slice;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuInstanceId(nvmlDevice_t device, unsigned int *id) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!id || !DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    *id = DEVICE(device)->gpu_instance;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetComputeInstanceId(nvmlDevice_t device, unsigned int *id) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!id || !DEVICE(device)->is_slice, NVML_ERROR_INVALID_ARGUMENT);
    *id = DEVICE(device)->compute_instance;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetAttributes_v2(nvmlDevice_t device, nvmlDeviceAttributes_t *attributes) {
    RETURN_UNLESS_OK(check(DEVICE(device)));
    RETURN_IF(!attributes, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(!DEVICE(device)->is_slice, NVML_ERROR_NOT_SUPPORTED);
    RETURN_IF(DEVICE(device)->attributes_code != 0, (nvmlReturn_t)DEVICE(device)->attributes_code);
    memset(attributes, 0, sizeof *attributes);
    attributes->multiprocessorCount = 14 * DEVICE(device)->compute_slices;
    attributes->gpuInstanceSliceCount = DEVICE(device)->gpu_slices;
    attributes->computeInstanceSliceCount = DEVICE(device)->compute_slices;
    attributes->memorySizeMB = 4864ULL * DEVICE(device)->gpu_slices;
    return NVML_SUCCESS;
}

/* Which profiles exist: 1, 2, 3 and 4 slices, and the whole GPU. */
static nvmlReturn_t profile_slices(const Device *gpu, unsigned int profile, unsigned int *slices) {
    static const unsigned int by_profile[] = {1, 2, 3, 4, 7, 8, 6};
    RETURN_UNLESS_OK(check(gpu));
    RETURN_IF(gpu->profiles_code != 0, (nvmlReturn_t)gpu->profiles_code);
    RETURN_IF(profile >= sizeof by_profile / sizeof *by_profile, NVML_ERROR_INVALID_ARGUMENT);
    RETURN_IF(by_profile[profile] > gpu->max_slices, NVML_ERROR_NOT_SUPPORTED);
    RETURN_IF(by_profile[profile] > 4 && by_profile[profile] != gpu->max_slices, NVML_ERROR_NOT_SUPPORTED);
    *slices = by_profile[profile];
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuInstanceProfileInfo(nvmlDevice_t device, unsigned int profile, nvmlGpuInstanceProfileInfo_t *info) {
    RETURN_IF(!info, NVML_ERROR_INVALID_ARGUMENT);
    unsigned int slices = 0;
    RETURN_UNLESS_OK(profile_slices(DEVICE(device), profile, &slices));
    memset(info, 0, sizeof *info);
    info->id = profile;
    info->sliceCount = slices;
    info->instanceCount = DEVICE(device)->max_slices / slices;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuInstanceProfileInfoV(nvmlDevice_t device, unsigned int profile, nvmlGpuInstanceProfileInfo_v2_t *info) {
    RETURN_IF(!info, NVML_ERROR_INVALID_ARGUMENT);
    unsigned int slices = 0;
    RETURN_UNLESS_OK(profile_slices(DEVICE(device), profile, &slices));
    memset((char *)info + sizeof info->version, 0, sizeof *info - sizeof info->version);
    info->id = profile;
    info->sliceCount = slices;
    info->instanceCount = DEVICE(device)->max_slices / slices;
    return NVML_SUCCESS;
}
