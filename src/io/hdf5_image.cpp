// Builds a results file in memory.
// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_image.hpp"

#include <fmt/format.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/atomic_file.hpp"
#include "io/hdf5_digest.hpp"
#include "io/hdf5_handle.hpp"
#include "io/sha256.hpp"

namespace reckon {
namespace {

constexpr std::size_t memory_step = 1 << 20;
constexpr hsize_t chunk_elements = 16384;
constexpr hsize_t largest_image = hsize_t{1} << 30;
constexpr unsigned deflate_level = 4;

Hdf5Handle text_type(const std::string& file) {
  Hdf5Handle type(hdf5_check(H5Tcopy(H5T_C_S1), file, "make a text type"), H5Tclose);
  hdf5_check(H5Tset_size(type, H5T_VARIABLE), file, "make a text type");
  hdf5_check(H5Tset_cset(type, H5T_CSET_UTF8), file, "make a text type");
  return type;
}

std::vector<const char*> pointers(std::span<const std::string> texts) {
  std::vector<const char*> out;
  for (const std::string& text : texts) {
    if (text.find('\0') != std::string::npos) throw InternalError("a text for a results file holds a zero byte: " + in_quotes(text));
    out.push_back(text.c_str());
  }
  return out;
}

}  // namespace

struct Hdf5Image::State {
  std::string file;
  Hdf5Handle access, creation, group_creation, handle, text;
  std::set<std::string> groups{"/"};

  explicit State(std::string name) : file(std::move(name)) {
    silence_hdf5();
    access = Hdf5Handle(check(H5Pcreate(H5P_FILE_ACCESS), "set up"), H5Pclose);
    check(H5Pset_fapl_core(access, memory_step, false), "set up memory");
    check(H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110), "set up versions");
    creation = Hdf5Handle(check(H5Pcreate(H5P_FILE_CREATE), "set up"), H5Pclose);
    constexpr unsigned in_order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
    check(H5Pset_link_creation_order(creation, in_order), "keep order");
    check(H5Pset_attr_creation_order(creation, in_order), "keep order");
    check(H5Pset_obj_track_times(creation, false), "leave out times");  // of the root
    group_creation = Hdf5Handle(check(H5Pcreate(H5P_GROUP_CREATE), "set up"), H5Pclose);
    check(H5Pset_link_creation_order(group_creation, in_order), "keep order");
    check(H5Pset_attr_creation_order(group_creation, in_order), "keep order");
    check(H5Pset_obj_track_times(group_creation, false), "leave out times");
    handle = Hdf5Handle(check(H5Fcreate("reckon-image", H5F_ACC_TRUNC, creation, access), "create an image"), H5Fclose);
    text = text_type(file);
  }

  template <class T>
  T check(T result, const char* action) const {
    return hdf5_check(result, file, action);
  }

  void make_group(const std::string& path) {
    if (path.empty() || groups.contains(path)) return;
    if (path[0] != '/' || path.back() == '/') throw InternalError("not an absolute path in a results file: " + path);
    make_group(path.substr(0, path.rfind('/')));
    const Hdf5Handle made(check(H5Gcreate2(handle, path.c_str(), H5P_DEFAULT, group_creation, H5P_DEFAULT), "create a group"), H5Gclose);
    groups.insert(path);
  }

  Hdf5Handle open_object(const std::string& path) const { return {check(H5Oopen(handle, path.c_str(), H5P_DEFAULT), "open an object"), H5Oclose}; }

  Hdf5Handle open_dataset(const std::string& path) const { return {check(H5Dopen2(handle, path.c_str(), H5P_DEFAULT), "open a dataset"), H5Dclose}; }

  void write_attribute(hid_t object, const std::string& name, hid_t file_type, hid_t memory_type, const std::vector<hsize_t>& shape, const void* values) const {
    const Hdf5Handle space(check(shape.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), "make a shape"), H5Sclose);
    const Hdf5Handle attribute(check(H5Acreate2(object, name.c_str(), file_type, space, H5P_DEFAULT, H5P_DEFAULT), "create an attribute"), H5Aclose);
    check(H5Awrite(attribute, memory_type, values), "write an attribute");
  }

  void write_text_attribute(hid_t object, const std::string& name, const std::string& value) const {
    const auto value_pointer = pointers({&value, 1});
    write_attribute(object, name, text, text, {}, value_pointer.data());
  }

  /// The lengths of the column's dimensions; checks that they hold `count` values.
  std::vector<hsize_t> shape_of(const std::string& path, std::size_t count, const Hdf5Column& column) const {
    if (column.dimensions.empty()) return {count};
    std::vector<hsize_t> shape;
    hsize_t product = 1;
    for (const std::string& dimension : column.dimensions) {
      const Hdf5Handle scale = open_dataset(dimension);
      const Hdf5Handle space(check(H5Dget_space(scale), "read a shape"), H5Sclose);
      const auto length = static_cast<hsize_t>(check(H5Sget_simple_extent_npoints(space), "read a shape"));
      shape.push_back(length);
      product *= length;
    }
    if (product != count) throw InternalError(fmt::format("{} has {} values, its dimensions hold {}", path, count, product));
    return shape;
  }

  /// Chunks with checksums and compression for numbers; texts and empty datasets stay contiguous: HDF5 filters see only the references
  /// of variable-length texts and refuse them.
  Hdf5Handle dataset_properties(const std::vector<hsize_t>& shape, bool numbers) const {
    Hdf5Handle list(check(H5Pcreate(H5P_DATASET_CREATE), "set up a dataset"), H5Pclose);
    check(H5Pset_obj_track_times(list, false), "leave out times");
    check(H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "keep order");
    if (!numbers || std::find(shape.begin(), shape.end(), hsize_t{0}) != shape.end()) return list;
    std::vector<hsize_t> chunk = shape;
    hsize_t room = chunk_elements;
    for (std::size_t i = chunk.size(); i-- > 0;) {
      chunk[i] = std::clamp<hsize_t>(room, 1, shape[i]);
      room /= chunk[i];
    }
    check(H5Pset_chunk(list, static_cast<int>(chunk.size()), chunk.data()), "set up chunks");
    check(H5Pset_shuffle(list), "set up filters");
    check(H5Pset_deflate(list, deflate_level), "set up filters");
    check(H5Pset_fletcher32(list), "set up filters");
    return list;
  }

  struct Storage {
    hid_t file_type, memory_type;
    bool numbers;
    const void* fill;  ///< value of _FillValue, or none
  };

  Hdf5Handle write_dataset(const std::string& path, std::size_t count, const void* values, const Hdf5Column& column, const Storage& storage) {
    if (column.units.empty() || column.long_name.empty()) throw InternalError(path + " has no units or no long_name");
    make_group(path.substr(0, path.rfind('/')));
    const std::vector<hsize_t> shape = shape_of(path, count, column);
    const Hdf5Handle properties = dataset_properties(shape, storage.numbers);
    if (storage.fill) check(H5Pset_fill_value(properties, storage.memory_type, storage.fill), "set a fill value");
    const Hdf5Handle space(check(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), "make a shape"), H5Sclose);
    Hdf5Handle set(check(H5Dcreate2(handle, path.c_str(), storage.file_type, space, H5P_DEFAULT, properties, H5P_DEFAULT), "create a dataset"), H5Dclose);
    if (count > 0) check(H5Dwrite(set, storage.memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "write a dataset");
    if (storage.fill) write_attribute(set, "_FillValue", storage.file_type, storage.memory_type, {1}, storage.fill);
    write_text_attribute(set, "units", column.units);
    write_text_attribute(set, "long_name", column.long_name);
    if (!column.comment.empty()) write_text_attribute(set, "comment", column.comment);
    for (unsigned i = 0; i < column.dimensions.size(); ++i) {
      const Hdf5Handle scale = open_dataset(column.dimensions[i]);
      check(H5DSattach_scale(set, scale, i), "attach a dimension scale");
    }
    check_size();
    return set;
  }

  void check_size() const {
    hsize_t size = 0;
    check(H5Fget_filesize(handle, &size), "tell the size");
    if (size > largest_image) throw FileError(file, "the results exceed 1 GiB", "ask for fewer candidates, or write several files");
  }

  void make_scale(hid_t set, const std::string& path) const { check(H5DSset_scale(set, path.substr(path.rfind('/') + 1).c_str()), "make a dimension scale"); }

  Hdf5Handle doubles(const std::string& path, std::span<const double> values, const Hdf5Column& column) {
    for (const double value : values)
      if (!(std::isfinite(value) || (column.may_be_missing && std::isnan(value)))) throw InternalError(path + " holds a number that is not finite");
    static constexpr double missing = std::numeric_limits<double>::quiet_NaN();
    return write_dataset(path, values.size(), values.data(), column, {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, true, column.may_be_missing ? &missing : nullptr});
  }

  Hdf5Handle integers(const std::string& path, std::span<const std::int64_t> values, const Hdf5Column& column) {
    if (column.may_be_missing && column.comment.empty()) throw InternalError(path + " does not say in a comment what -1 means");
    return write_dataset(path, values.size(), values.data(), column, {H5T_STD_I64LE, H5T_NATIVE_INT64, true, nullptr});
  }

  Hdf5Handle texts(const std::string& path, std::span<const std::string> values, const Hdf5Column& column) {
    return write_dataset(path, values.size(), pointers(values).data(), column, {text, text, false, nullptr});
  }
};

Hdf5Image::Hdf5Image(std::string file) : state_(std::make_unique<State>(std::move(file))) {}
Hdf5Image::Hdf5Image(Hdf5Image&&) noexcept = default;
Hdf5Image& Hdf5Image::operator=(Hdf5Image&&) noexcept = default;
Hdf5Image::~Hdf5Image() = default;

void Hdf5Image::group(const std::string& path) { state_->make_group(path); }

void Hdf5Image::attribute(const std::string& path, const std::string& name, const std::string& value) {
  state_->write_text_attribute(state_->open_object(path), name, value);
}
void Hdf5Image::attribute(const std::string& path, const std::string& name, std::int64_t value) {
  state_->write_attribute(state_->open_object(path), name, H5T_STD_I64LE, H5T_NATIVE_INT64, {}, &value);
}
void Hdf5Image::attribute(const std::string& path, const std::string& name, double value) {
  if (!std::isfinite(value)) throw InternalError("the attribute " + name + " of " + path + " is not a finite number");
  state_->write_attribute(state_->open_object(path), name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {}, &value);
}
void Hdf5Image::attribute(const std::string& path, const std::string& name, const std::vector<std::string>& values) {
  state_->write_attribute(state_->open_object(path), name, state_->text, state_->text, {values.size()}, pointers(values).data());
}

void Hdf5Image::scale(const std::string& path, std::span<const double> values, const Hdf5Column& column) { state_->make_scale(state_->doubles(path, values, column), path); }
void Hdf5Image::scale(const std::string& path, std::span<const std::int64_t> values, const Hdf5Column& column) { state_->make_scale(state_->integers(path, values, column), path); }
void Hdf5Image::scale(const std::string& path, std::span<const std::string> values, const Hdf5Column& column) { state_->make_scale(state_->texts(path, values, column), path); }

void Hdf5Image::dataset(const std::string& path, std::span<const double> values, const Hdf5Column& column) { state_->doubles(path, values, column); }
void Hdf5Image::dataset(const std::string& path, std::span<const std::int64_t> values, const Hdf5Column& column) { state_->integers(path, values, column); }
void Hdf5Image::dataset(const std::string& path, std::span<const std::string> values, const Hdf5Column& column) { state_->texts(path, values, column); }

void Hdf5Image::flags(const std::string& path, std::span<const std::int8_t> values, const std::vector<std::string>& meanings, const Hdf5Column& column) {
  std::vector<std::int8_t> codes;
  for (std::size_t i = 0; i < meanings.size(); ++i) codes.push_back(static_cast<std::int8_t>(i));
  for (const std::int8_t value : values)
    if (value < 0 || static_cast<std::size_t>(value) >= meanings.size()) throw InternalError(fmt::format("{} holds the flag {}, which has no meaning", path, value));
  const Hdf5Handle set = state_->write_dataset(path, values.size(), values.data(), column, {H5T_STD_I8LE, H5T_NATIVE_INT8, true, nullptr});
  state_->write_attribute(set, "flag_values", H5T_STD_I8LE, H5T_NATIVE_INT8, {codes.size()}, codes.data());
  state_->write_text_attribute(set, "flag_meanings", join(meanings, " "));
}

void Hdf5Image::text(const std::string& path, const std::string& value, const std::string& long_name) {
  state_->make_group(path.substr(0, path.rfind('/')));
  const Hdf5Handle space(state_->check(H5Screate(H5S_SCALAR), "make a shape"), H5Sclose);
  const Hdf5Handle properties = state_->dataset_properties({0}, false);
  const Hdf5Handle set(state_->check(H5Dcreate2(state_->handle, path.c_str(), state_->text, space, H5P_DEFAULT, properties, H5P_DEFAULT), "create a text"), H5Dclose);
  const auto value_pointer = pointers({&value, 1});
  state_->check(H5Dwrite(set, state_->text, H5S_ALL, H5S_ALL, H5P_DEFAULT, value_pointer.data()), "write a text");
  state_->write_text_attribute(set, "long_name", long_name);
  state_->write_text_attribute(set, "sha256", sha256(value));
  state_->check_size();
}

std::string Hdf5Image::finish() {
  const State& s = *state_;
  attribute("/", "complete", std::int64_t{1});
  s.check(H5Fflush(s.handle, H5F_SCOPE_GLOBAL), "complete the image");
  const auto size = s.check(H5Fget_file_image(s.handle, nullptr, 0), "tell the size of the image");
  std::string image(static_cast<std::size_t>(size), '\0');
  s.check(H5Fget_file_image(s.handle, image.data(), image.size()), "give the image");
  state_.reset();
  return image + digest_line(sha256(image));
}

void save_hdf5(Hdf5Image& image, const std::filesystem::path& target, bool overwrite) {
  write_file(target, image.finish(), overwrite, [&](const std::filesystem::path& temporary) {
    const std::string name = target.string();
    const Hdf5Handle access(hdf5_check(H5Pcreate(H5P_FILE_ACCESS), name, "set up"), H5Pclose);
    hdf5_check(H5Pset_file_locking(access, false, true), name, "set up");
    const Hdf5Handle file(hdf5_check(H5Fopen(temporary.c_str(), H5F_ACC_RDONLY, access), name, "read the new file back"), H5Fclose);
    const Hdf5Handle mark(hdf5_check(H5Aopen(file, "complete", H5P_DEFAULT), name, "find the mark of completion"), H5Aclose);
    std::int64_t complete = 0;
    hdf5_check(H5Aread(mark, H5T_NATIVE_INT64, &complete), name, "read the mark of completion");
    if (complete != 1) throw FileError(name, "the new file is not marked complete");
  });
}

}  // namespace reckon
