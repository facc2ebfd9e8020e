/* What has to hold for our own declarations and for NVIDIA's header alike; included by both builds of the stand-in. */
#ifndef NVML_STANDIN_LAYOUT_CHECK_H
#define NVML_STANDIN_LAYOUT_CHECK_H

#include <stddef.h>

#define AT(type, member, offset) \
    _Static_assert(offsetof(type, member) == (offset), "offset of " #member " in " #type)
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), "size of " #type)
#define VALUE(name, value) _Static_assert((name) == (value), "value of " #name)

SIZE(nvmlValue_t, 8);
SIZE(nvmlFieldValue_t, 40);
AT(nvmlFieldValue_t, fieldId, 0);
AT(nvmlFieldValue_t, scopeId, 4);
AT(nvmlFieldValue_t, timestamp, 8);
AT(nvmlFieldValue_t, latencyUsec, 16);
AT(nvmlFieldValue_t, valueType, 24);
AT(nvmlFieldValue_t, nvmlReturn, 28);
AT(nvmlFieldValue_t, value, 32);
SIZE(nvmlUtilization_t, 8);
AT(nvmlUtilization_t, gpu, 0);
SIZE(nvmlMemory_t, 24);
AT(nvmlMemory_t, total, 0);
AT(nvmlMemory_t, free, 8);
AT(nvmlMemory_t, used, 16);
SIZE(nvmlPciInfo_t, 68);
AT(nvmlPciInfo_t, domain, 16);
AT(nvmlPciInfo_t, busId, 36);
SIZE(nvmlC2cModeInfo_v1_t, 4);
SIZE(nvmlDeviceAttributes_t, 40);
AT(nvmlDeviceAttributes_t, gpuInstanceSliceCount, 24);
AT(nvmlDeviceAttributes_t, computeInstanceSliceCount, 28);
SIZE(nvmlGpuInstanceProfileInfo_t, 48);
AT(nvmlGpuInstanceProfileInfo_t, sliceCount, 8);
SIZE(nvmlGpuInstanceProfileInfo_v2_t, 152);
AT(nvmlGpuInstanceProfileInfo_v2_t, sliceCount, 12);
SIZE(nvmlProcessInfo_t, 24);
AT(nvmlProcessInfo_t, pid, 0);
AT(nvmlProcessInfo_t, usedGpuMemory, 8);
AT(nvmlProcessInfo_t, gpuInstanceId, 16);
AT(nvmlProcessInfo_t, computeInstanceId, 20);
SIZE(nvmlProcessUtilizationSample_t, 32);
AT(nvmlProcessUtilizationSample_t, pid, 0);
AT(nvmlProcessUtilizationSample_t, timeStamp, 8);
AT(nvmlProcessUtilizationSample_t, smUtil, 16);
AT(nvmlProcessUtilizationSample_t, memUtil, 20);

VALUE(NVML_SUCCESS, 0);
VALUE(NVML_ERROR_UNINITIALIZED, 1);
VALUE(NVML_ERROR_INVALID_ARGUMENT, 2);
VALUE(NVML_ERROR_NOT_SUPPORTED, 3);
VALUE(NVML_ERROR_NO_PERMISSION, 4);
VALUE(NVML_ERROR_NOT_FOUND, 6);
VALUE(NVML_ERROR_INSUFFICIENT_SIZE, 7);
VALUE(NVML_ERROR_DRIVER_NOT_LOADED, 9);
VALUE(NVML_ERROR_TIMEOUT, 10);
VALUE(NVML_ERROR_FUNCTION_NOT_FOUND, 13);
VALUE(NVML_ERROR_GPU_IS_LOST, 15);
VALUE(NVML_ERROR_RESET_REQUIRED, 16);
VALUE(NVML_ERROR_UNKNOWN, 999);
VALUE(NVML_VALUE_TYPE_DOUBLE, 0);
VALUE(NVML_VALUE_TYPE_UNSIGNED_INT, 1);
VALUE(NVML_VALUE_TYPE_UNSIGNED_LONG, 2);
VALUE(NVML_VALUE_TYPE_UNSIGNED_LONG_LONG, 3);
VALUE(NVML_VALUE_TYPE_SIGNED_LONG_LONG, 4);
VALUE(NVML_VALUE_TYPE_SIGNED_INT, 5);
VALUE(NVML_VALUE_TYPE_UNSIGNED_SHORT, 6);
VALUE(NVML_TEMPERATURE_GPU, 0);
VALUE(NVML_COMPUTEMODE_DEFAULT, 0);
VALUE(NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION, 83);
VALUE(NVML_FI_DEV_POWER_AVERAGE, 185);
VALUE(NVML_FI_DEV_POWER_INSTANT, 186);
VALUE(NVML_FI_DEV_POWER_MAX_LIMIT, 188);
VALUE(NVML_FI_DEV_ENERGY, 191);
VALUE(NVML_POWER_SCOPE_GPU, 0);
VALUE(NVML_POWER_SCOPE_MODULE, 1);
VALUE(NVML_POWER_SCOPE_MEMORY, 2);
VALUE(NVML_DEVICE_MIG_ENABLE, 1);
VALUE(NVML_DEVICE_ARCH_AMPERE, 7);
VALUE(NVML_DEVICE_ARCH_HOPPER, 9);
VALUE(NVML_GPU_INSTANCE_PROFILE_1_SLICE, 0);
VALUE(NVML_GPU_INSTANCE_PROFILE_2_SLICE, 1);
VALUE(NVML_GPU_INSTANCE_PROFILE_3_SLICE, 2);
VALUE(NVML_GPU_INSTANCE_PROFILE_4_SLICE, 3);
VALUE(NVML_GPU_INSTANCE_PROFILE_7_SLICE, 4);
VALUE(NVML_GPU_INSTANCE_PROFILE_8_SLICE, 5);
VALUE(NVML_GPU_INSTANCE_PROFILE_6_SLICE, 6);

#endif
