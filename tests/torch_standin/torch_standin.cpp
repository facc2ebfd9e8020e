// An accelerator without hardware: torch's PrivateUse1, computed instead of executed.
//
// Work is a number of nanoseconds. A stream is the moment at which all that it was given will be done, an event the
// moment at which it will be reached, and both are known as soon as they are given: nothing runs beside the program,
// and the truth that the events of torch are to tell can be asked for. The clock is CLOCK_MONOTONIC, as Python's
// time.monotonic_ns() has it, or one that the test moves.
//
// The rules are those of the CUDA runtime, as far as the program asks: an event notes the time in steps of half a
// microsecond, a distance is told as 32-bit milliseconds, only between events that are done, and an error that sticks
// is raised by every call from there on (https://docs.nvidia.com/cuda/cuda-runtime-api/, 2025: cudaEventElapsedTime,
// cudaErrorIllegalAddress). While a stream is captured in the mode that is CUDA's default ("global"), work is noted
// instead of done, and to query or to wait for anything is an error that breaks the capture
// (cudaStreamCaptureModeGlobal; https://github.com/pytorch/pytorch/pull/104555, 2023).

#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace {

constexpr auto kType = c10::DeviceType::PrivateUse1;
constexpr int kMostDevices = 4;
constexpr int64_t kTickNs = 500;

// The calls that can be made to fail, by bit.
enum Call : unsigned { kRecord = 1, kQueryEvent = 2, kElapsed = 4, kQueryStream = 8, kMakeEvent = 16 };

struct Event {
  int64_t at_ns = 0;
  c10::DeviceIndex device = 0;
  bool captured = false;
};

struct Stream {
  int64_t free_ns = 0;
  bool capturing = false;
  int64_t captured_ns = 0;
};

struct Device {
  double pace = 1.0;
  int64_t latency_ns = 8000;
  std::map<c10::StreamId, Stream> streams;
};

struct Fault {
  unsigned calls = 0;
  int64_t skip = 0;
  bool sticks = false;
  std::string message;
};

struct World {
  std::mutex mutex;
  int devices = 2;
  std::array<Device, kMostDevices> device;
  c10::StreamId streams = 0;
  bool started = false;
  bool manual = false;
  int64_t manual_ns = 0;
  int64_t call_ns = 0;
  int64_t zero_ns = 0;
  int64_t asked = 0;
  int64_t waited = 0;
  bool broken = false;
  Fault fault;
  std::vector<int64_t> graphs;
};

World& world() {
  static World* only = new World();  // never destroyed: torch may ask while the process ends
  return *only;
}

thread_local c10::DeviceIndex current_device = 0;
thread_local std::array<c10::StreamId, kMostDevices> current_stream{};

int64_t now_ns() {
  if (world().manual) {
    return world().manual_ns;
  }
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

void wait_until(int64_t at_ns, std::unique_lock<std::mutex>& lock) {
  if (at_ns <= now_ns()) {
    return;
  }
  world().waited += 1;
  if (world().manual) {
    world().manual_ns = std::max(world().manual_ns, at_ns);
    return;
  }
  lock.unlock();
  timespec until{at_ns / 1000000000, at_ns % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
  lock.lock();
}

bool capturing_anywhere() {
  for (auto& device : world().device) {
    for (auto& [id, stream] : device.streams) {
      if (stream.capturing) {
        return true;
      }
    }
  }
  return false;
}

// Every call that has to do with the device goes through here: it costs time, starts the device, and may fail.
void enter(unsigned call) {
  World& all = world();
  all.started = true;
  all.asked += 1;
  all.manual_ns += all.call_ns;
  if (call & all.fault.calls) {
    if (all.fault.skip > 0) {
      all.fault.skip -= 1;
      return;
    }
    if (!all.fault.sticks) {
      all.fault.calls = 0;
    }
    TORCH_CHECK(false, all.fault.message);
  }
}

// What may not be asked while anything is captured.
void enter_and_ask(unsigned call) {
  enter(call);
  if (capturing_anywhere()) {
    world().broken = true;
    TORCH_CHECK(false, "standin error: operation not permitted when stream is capturing");
  }
}

Stream& stream_of(const c10::Stream& stream) {
  return world().device.at(stream.device_index()).streams[stream.id()];
}

// Half a microsecond is the resolution of CUDA's events.
double shown_ms(const Event& event) {
  const double ns = static_cast<double>(event.at_ns - world().zero_ns) * world().device.at(event.device).pace;
  return std::round(ns / kTickNs) * kTickNs / 1e6;
}

struct Guard final : public c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override {
    return kType;
  }
  c10::Device exchangeDevice(c10::Device device) const override {
    const auto before = getDevice();
    setDevice(device);
    return before;
  }
  c10::Device getDevice() const override {
    return c10::Device(kType, current_device);
  }
  void setDevice(c10::Device device) const override {
    TORCH_CHECK(device.index() < deviceCount(), "standin error: invalid device ordinal");
    uncheckedSetDevice(device);
  }
  void uncheckedSetDevice(c10::Device device) const noexcept override {
    if (device.index() >= 0) {
      current_device = device.index();
    }
  }
  c10::DeviceIndex deviceCount() const noexcept override {
    return static_cast<c10::DeviceIndex>(world().devices);
  }

  c10::Stream getStream(c10::Device device) const override {
    const auto index = device.index() < 0 ? current_device : device.index();
    return c10::Stream(c10::Stream::UNSAFE, c10::Device(kType, index), current_stream.at(index));
  }
  c10::Stream getDefaultStream(c10::Device device) const override {
    return c10::Stream(c10::Stream::UNSAFE, device, 0);
  }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool /*high*/) const override {
    return getNewStream(device, 0);
  }
  c10::Stream getNewStream(c10::Device device, int /*priority*/) const override {
    std::unique_lock lock(world().mutex);
    enter(0);
    const auto index = device.index() < 0 ? current_device : device.index();
    return c10::Stream(c10::Stream::UNSAFE, c10::Device(kType, index), ++world().streams);
  }
  c10::Stream exchangeStream(c10::Stream stream) const override {
    const auto before = getStream(stream.device());
    current_stream.at(stream.device_index()) = stream.id();
    return before;
  }
  bool queryStream(const c10::Stream& stream) const override {
    std::unique_lock lock(world().mutex);
    enter_and_ask(kQueryStream);
    return now_ns() >= stream_of(stream).free_ns;
  }
  void synchronizeStream(const c10::Stream& stream) const override {
    std::unique_lock lock(world().mutex);
    enter_and_ask(0);
    wait_until(stream_of(stream).free_ns, lock);
  }
  void synchronizeDevice(const c10::DeviceIndex index) const override {
    std::unique_lock lock(world().mutex);
    enter_and_ask(0);
    int64_t at_ns = 0;
    for (auto& [id, stream] : world().device.at(index).streams) {
      at_ns = std::max(at_ns, stream.free_ns);
    }
    wait_until(at_ns, lock);
  }
  // No `override`, as torch asks for it only since 2.12.
  bool isStreamCapturing(const c10::Stream& stream) const {
    std::unique_lock lock(world().mutex);
    return stream_of(stream).capturing;
  }

  void destroyEvent(void* event, const c10::DeviceIndex /*index*/) const noexcept override {
    delete static_cast<Event*>(event);
  }
  void record(void** event, const c10::Stream& stream, const c10::DeviceIndex index, const c10::EventFlag /*flag*/)
      const override {
    TORCH_CHECK(
        index < 0 || index == stream.device_index(),
        "standin error: an event of device ", int(index), " cannot be recorded on device ", int(stream.device_index()));
    std::unique_lock lock(world().mutex);
    enter(kRecord | (*event == nullptr ? kMakeEvent : 0u));
    if (*event == nullptr) {
      *event = new Event();
    }
    auto& noted = *static_cast<Event*>(*event);
    auto& on = stream_of(stream);
    noted.device = stream.device_index();
    noted.captured = on.capturing;
    if (!on.capturing) {
      noted.at_ns = on.free_ns = std::max(now_ns() + world().device.at(noted.device).latency_ns, on.free_ns);
    }
  }
  void block(void* event, const c10::Stream& stream) const override {
    std::unique_lock lock(world().mutex);
    enter(0);
    if (event == nullptr) {
      return;
    }
    const auto& noted = *static_cast<Event*>(event);
    auto& on = stream_of(stream);
    on.capturing = on.capturing || noted.captured;  // who waits for captured work is captured with it
    on.free_ns = std::max(on.free_ns, noted.at_ns);
  }
  bool queryEvent(void* event) const override {
    std::unique_lock lock(world().mutex);
    enter_and_ask(kQueryEvent);
    if (event == nullptr) {
      return true;
    }
    const auto& noted = *static_cast<Event*>(event);
    TORCH_CHECK(!noted.captured, "standin error: operation not permitted on an event last recorded in a capture");
    return now_ns() >= noted.at_ns;
  }
  void synchronizeEvent(void* event) const override {
    std::unique_lock lock(world().mutex);
    enter_and_ask(0);
    if (event != nullptr) {
      wait_until(static_cast<Event*>(event)->at_ns, lock);
    }
  }
  double elapsedTime(void* first, void* second, const c10::DeviceIndex /*index*/) const override {
    std::unique_lock lock(world().mutex);
    enter(kElapsed);
    const auto &from = *static_cast<Event*>(first), &to = *static_cast<Event*>(second);
    TORCH_CHECK(std::max(from.at_ns, to.at_ns) <= now_ns(), "standin error: device not ready");
    return static_cast<float>(shown_ms(to) - shown_ms(from));
  }
};

struct Hooks final : public at::PrivateUse1HooksInterface {
  bool isBuilt() const override {
    return true;
  }
  bool isAvailable() const override {
    return world().devices > 0;
  }
  bool hasPrimaryContext(c10::DeviceIndex /*index*/) const override {
    return world().started;
  }
};

c10::Stream current() {
  return c10::impl::getDeviceGuardImpl(kType)->getStream(c10::Device(kType, -1));
}

}  // namespace

extern "C" {

void standinRegister() {
  c10::impl::registerDeviceGuard(kType, new Guard());
  at::RegisterPrivateUse1HooksInterface(new Hooks());
}

// A new machine: nothing given, nothing noted, no fault. The devices have not been started.
void standinReset(int devices, int64_t manual_ns, int64_t call_ns) {
  std::unique_lock lock(world().mutex);
  World& all = world();
  all.devices = devices;
  all.device = {};
  all.started = all.broken = false;
  all.manual = manual_ns > 0;
  all.manual_ns = manual_ns;
  all.call_ns = call_ns;
  all.zero_ns = now_ns() - 7777777777;  // the device's clock has another zero
  all.asked = all.waited = 0;
  all.fault = {};
  all.graphs.clear();
  current_device = 0;
  current_stream = {};
}

void standinConfigure(int device, double drift_ppm, int64_t latency_ns) {
  std::unique_lock lock(world().mutex);
  world().device.at(device).pace = 1 + drift_ppm / 1e6;
  world().device.at(device).latency_ns = latency_ns;
}

// The calls of these kinds fail from the so-and-so-many-th on: that one alone, or every one.
void standinFail(unsigned calls, int64_t skip, int sticks, const char* message) {
  std::unique_lock lock(world().mutex);
  world().fault = {calls, skip, sticks != 0, message};
}

// Gives the current stream something to do; to a stream that is captured, for the graph.
void standinLaunch(int64_t ns) {
  std::unique_lock lock(world().mutex);
  enter(0);
  auto& on = stream_of(current());
  if (on.capturing) {
    on.captured_ns += ns;
  } else {
    on.free_ns = std::max(now_ns(), on.free_ns) + ns;
  }
}

// When the current stream has done, or will have done, all that it was given: the truth.
int64_t standinDone() {
  std::unique_lock lock(world().mutex);
  return std::max(now_ns(), stream_of(current()).free_ns);
}

void standinBeginCapture() {
  std::unique_lock lock(world().mutex);
  enter(0);
  world().broken = false;
  stream_of(current()).capturing = true;
}

// The graph's number, or -1 if the capture was broken.
int standinEndCapture() {
  std::unique_lock lock(world().mutex);
  enter(0);
  const int64_t ns = stream_of(current()).captured_ns;
  for (auto& device : world().device) {
    for (auto& [id, stream] : device.streams) {
      stream.capturing = false;
      stream.captured_ns = 0;
    }
  }
  if (world().broken) {
    return -1;
  }
  world().graphs.push_back(ns);
  return static_cast<int>(world().graphs.size()) - 1;
}

void standinReplay(int graph) {
  int64_t ns = 0;
  {
    std::unique_lock lock(world().mutex);
    ns = world().graphs.at(graph);
  }
  standinLaunch(ns);
}

int standinDevices() {
  return world().devices;
}

int standinStarted() {
  std::unique_lock lock(world().mutex);
  return world().started;
}

// How many calls there were that have to do with a device.
int64_t standinAsked() {
  std::unique_lock lock(world().mutex);
  return world().asked;
}

// How often the program waited for a device.
int64_t standinWaited() {
  std::unique_lock lock(world().mutex);
  return world().waited;
}

int64_t standinNow() {
  std::unique_lock lock(world().mutex);
  return now_ns();
}

void standinAdvance(int64_t ns) {
  std::unique_lock lock(world().mutex);
  world().manual_ns += ns;
}

}  // extern "C"
