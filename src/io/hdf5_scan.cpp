// Walks a results file with the HDF5 library and refuses what our files never hold.  Runs in the guarded child of hdf5_read.cpp.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "io/hdf5_handle.hpp"
#include "io/hdf5_message.hpp"

namespace reckon {
namespace {

constexpr std::size_t deepest = 16, most_objects = 10'000, most_attributes = 1'000, most_rank = 8;
const std::set<std::string> bookkeeping{"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS"};

/// One walk over one file; a value, not kept.
class Scanner {
 public:
  Scanner(std::string name, const Hdf5Limits& limits) : name_(std::move(name)), elements_left_(limits.elements) {}

  Hdf5Contents scan(const std::string& path) {
    silence_hdf5();
    H5PLset_loading_state(0);  // a file must not make us load code
    const Hdf5Handle access(check(H5Pcreate(H5P_FILE_ACCESS), "set up"), H5Pclose);
    check(H5Pset_file_locking(access, false, true), "set up");
    const Hdf5Handle file(check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), "open the file"), H5Fclose);
    const Hdf5Handle root(check(H5Gopen2(file, "/", H5P_DEFAULT), "open the root"), H5Gclose);
    group(root, "", 0);
    const auto& attributes = contents_.groups["/"];
    const auto complete = attributes.find("complete");
    const auto* mark = complete == attributes.end() ? nullptr : std::get_if<std::int64_t>(&complete->second);
    if (!mark || *mark != 1) refuse("/", "the file is not marked complete");
    return std::move(contents_);
  }

 private:
  template <class T>
  T check(T result, const char* action) const {
    return hdf5_check(result, name_, action);
  }
  [[noreturn]] void refuse(const std::string& place, const std::string& reason) const { throw ConfigError(name_, place, reason); }

  void visit(hid_t object, const std::string& place) {
    H5O_info_t info{};
    check(H5Oget_info2(object, &info, H5O_INFO_BASIC), "inspect an object");
    if (!seen_.emplace(info.addr).second) refuse(place, "an object appears twice");
    if (seen_.size() > most_objects) refuse(place, "the file has more than 10000 objects");
  }

  void group(hid_t id, const std::string& path, std::size_t depth) {
    const std::string place = path.empty() ? "/" : path;
    if (depth > deepest) refuse(place, "the groups are nested deeper than 16 levels");
    visit(id, place);
    contents_.groups[place] = attributes(id, place);
    H5G_info_t info{};
    check(H5Gget_info(id, &info), "inspect a group");
    if (info.nlinks > most_objects) refuse(place, "the group has more than 10000 members");
    unsigned order = 0;
    const Hdf5Handle creation(check(H5Gget_create_plist(id), "inspect a group"), H5Pclose);
    check(H5Pget_link_creation_order(creation, &order), "inspect a group");
    const H5_index_t index = (order & H5P_CRT_ORDER_TRACKED) ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    for (hsize_t i = 0; i < info.nlinks; ++i) member(id, path, index, i, depth);
  }

  void member(hid_t group_id, const std::string& path, H5_index_t index, hsize_t i, std::size_t depth) {
    std::string name(256, '\0');
    const auto length = check(H5Lget_name_by_idx(group_id, ".", index, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT), "name a member");
    if (length < 1 || static_cast<std::size_t>(length) >= name.size()) refuse(path, "a member has no sensible name");
    name.resize(static_cast<std::size_t>(length));
    const std::string place = path + "/" + name;
    H5L_info_t link{};
    check(H5Lget_info(group_id, name.c_str(), &link, H5P_DEFAULT), "inspect a link");
    if (link.type != H5L_TYPE_HARD) refuse(place, "the file has a link out of its tree");
    const Hdf5Handle object(check(H5Oopen(group_id, name.c_str(), H5P_DEFAULT), "open an object"), H5Oclose);
    const H5I_type_t type = H5Iget_type(object);
    if (type == H5I_GROUP) return group(object, place, depth + 1);
    if (type != H5I_DATASET) refuse(place, "the file holds an object that is neither group nor dataset");
    visit(object, place);
    contents_.datasets.push_back(dataset(object, place));
  }

  void check_storage(hid_t set, const std::string& place) const {
    const Hdf5Handle list(check(H5Dget_create_plist(set), "inspect a dataset"), H5Pclose);
    const H5D_layout_t layout = H5Pget_layout(list);
    if (layout != H5D_CHUNKED && layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) refuse(place, "the dataset is virtual");
    if (layout == H5D_CONTIGUOUS && check(H5Pget_external_count(list), "inspect storage") != 0) refuse(place, "the dataset is stored in another file");
    const int num_filters = check(H5Pget_nfilters(list), "inspect filters");
    for (int i = 0; i < num_filters; ++i) {
      unsigned flags = 0, config = 0;
      std::size_t num_values = 0;
      const H5Z_filter_t filter = H5Pget_filter2(list, static_cast<unsigned>(i), &flags, &num_values, nullptr, 0, nullptr, &config);
      if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32) refuse(place, "the dataset uses an unknown filter");
    }
  }

  /// Lengths of a simple space; counts the elements against the limit.
  std::vector<std::uint64_t> shape_of(hid_t space, const std::string& place) {
    const H5S_class_t kind = H5Sget_simple_extent_type(space);
    if (kind == H5S_SCALAR) return {};
    if (kind != H5S_SIMPLE) refuse(place, "the shape is not simple");
    const int rank = check(H5Sget_simple_extent_ndims(space), "read a shape");
    if (rank < 1 || static_cast<std::size_t>(rank) > most_rank) refuse(place, "the shape has more than 8 dimensions");
    std::vector<hsize_t> lengths(static_cast<std::size_t>(rank));
    check(H5Sget_simple_extent_dims(space, lengths.data(), nullptr), "read a shape");
    return {lengths.begin(), lengths.end()};
  }

  std::size_t count_of(const std::vector<std::uint64_t>& shape, const std::string& place) {
    std::uint64_t count = 1;
    for (const std::uint64_t length : shape)
      if (__builtin_mul_overflow(count, length, &count)) refuse(place, "the shape overflows");
    if (count > elements_left_) refuse(place, "the file holds more values than are read");
    elements_left_ -= count;
    return static_cast<std::size_t>(count);
  }

  std::vector<std::string> dimension_names(hid_t set, std::size_t rank, const std::string& place) const {
    std::vector<std::string> names(rank);
    for (unsigned i = 0; i < rank; ++i) {
      const auto name_scale = [](hid_t, unsigned, hid_t scale, void* text) -> herr_t {
        char name[1024] = {};
        if (H5Iget_name(scale, name, sizeof name) <= 0) return -1;
        *static_cast<std::string*>(text) = name;
        return 1;  // the first scale is enough
      };
      if (H5DSiterate_scales(set, i, nullptr, name_scale, &names[i]) < 0) refuse(place, "a dimension scale is missing");
    }
    return names;
  }

  Hdf5Dataset dataset(hid_t set, const std::string& place) {
    check_storage(set, place);
    Hdf5Dataset out;
    out.path = place;
    const Hdf5Handle space(check(H5Dget_space(set), "read a shape"), H5Sclose);
    const Hdf5Handle type(check(H5Dget_type(set), "read a type"), H5Tclose);
    out.shape = shape_of(space, place);
    out.attributes = attributes(set, place);
    out.is_scale = check(H5DSis_scale(set), "inspect a scale") > 0;
    if (!out.is_scale) out.dimensions = dimension_names(set, out.shape.size(), place);
    const std::size_t count = count_of(out.shape, place);
    read_values(type, space, count, place, out.values, [&](hid_t memory, void* to) { check(H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, to), "read a dataset"); });
    if (const auto* reals = std::get_if<std::vector<double>>(&out.values))
      for (const double value : *reals)
        if (std::isinf(value) || (std::isnan(value) && !out.attributes.contains("_FillValue"))) refuse(place, "the dataset holds a number that is not finite");
    return out;
  }

  /// Reads doubles, 64-bit integers or texts, whichever the file type is.
  template <class Values, class Read>
  void read_values(hid_t type, hid_t space, std::size_t count, const std::string& place, Values& values, const Read& read) {
    const H5T_class_t kind = H5Tget_class(type);
    const std::size_t size = H5Tget_size(type);
    if (kind == H5T_FLOAT && size <= 8) {
      auto& reals = values.template emplace<std::vector<double>>(count);
      if (count > 0) read(H5T_NATIVE_DOUBLE, reals.data());
    } else if (kind == H5T_INTEGER && (size < 8 || (size == 8 && H5Tget_sign(type) == H5T_SGN_2))) {
      auto& integers = values.template emplace<std::vector<std::int64_t>>(count);
      if (count > 0) read(H5T_NATIVE_INT64, integers.data());
    } else if (kind == H5T_STRING && H5Tis_variable_str(type) > 0) {
      read_texts(type, space, count, place, values.template emplace<std::vector<std::string>>(), read);
    } else {
      refuse(place, "the type is none of integer, double and text");
    }
  }

  template <class Read>
  void read_texts(hid_t type, hid_t space, std::size_t count, const std::string& place, std::vector<std::string>& texts, const Read& read) {
    const Hdf5Handle memory(check(H5Tcopy(type), "read a type"), H5Tclose);
    std::vector<char*> pointers(count, nullptr);
    if (count > 0) read(memory, pointers.data());
    for (const char* pointer : pointers) texts.emplace_back(pointer ? pointer : "");
    if (count > 0) check(H5Dvlen_reclaim(memory, space, H5P_DEFAULT, pointers.data()), "free texts");
    for (const std::string& text : texts)
      if (!is_utf8(text)) refuse(place, "a text is not UTF-8");
  }

  Hdf5Attributes attributes(hid_t object, const std::string& place) {
    H5O_info_t info{};
    check(H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS), "inspect attributes");
    if (info.num_attrs > most_attributes) refuse(place, "the object has more than 1000 attributes");
    Hdf5Attributes out;
    for (hsize_t i = 0; i < info.num_attrs; ++i) {
      const Hdf5Handle attribute(check(H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT), "open an attribute"), H5Aclose);
      char name[256] = {};
      if (H5Aget_name(attribute, sizeof name, name) <= 0) refuse(place, "an attribute has no sensible name");
      if (!bookkeeping.contains(name)) out[name] = value_of(attribute, place + "@" + name);
    }
    return out;
  }

  Hdf5Value value_of(hid_t attribute, const std::string& place) {
    const Hdf5Handle space(check(H5Aget_space(attribute), "read a shape"), H5Sclose);
    const Hdf5Handle type(check(H5Aget_type(attribute), "read a type"), H5Tclose);
    const auto shape = shape_of(space, place);
    if (shape.size() > 1) refuse(place, "the attribute has more than one dimension");
    Hdf5Value value;
    read_values(type, space, count_of(shape, place), place, value, [&](hid_t memory, void* to) { check(H5Aread(attribute, memory, to), "read an attribute"); });
    if (shape.empty()) value = first_of(value);
    return value;
  }

  static Hdf5Value first_of(const Hdf5Value& value) {
    if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) return texts->at(0);
    if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) return integers->at(0);
    return std::get<std::vector<double>>(value).at(0);
  }

  std::string name_;
  std::uint64_t elements_left_;
  std::set<haddr_t> seen_;
  Hdf5Contents contents_;
};

}  // namespace

Hdf5Contents scan_hdf5(const std::string& path, const std::string& name, const Hdf5Limits& limits) { return Scanner(name, limits).scan(path); }

}  // namespace reckon
