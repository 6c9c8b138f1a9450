// Spellings of quantities with their known values in base units, and spellings that must be refused.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace reckon::spellings {

struct Accepted {
  std::string_view text;
  double value;  ///< seconds, bytes, FLOP, tokens, US dollars, joules and their quotients
};

const std::vector<Accepted> seconds{
    {"1 s", 1},           {"1s", 1},            {"0 s", 0},           {"0.0 s", 0},          {"2.5 s", 2.5},        {".5 s", 0.5},
    {"1e3 s", 1000},      {"1E3 s", 1000},      {"1e-3 s", 0.001},    {"1.5 us", 1.5e-6},    {"1.5us", 1.5e-6},     {"1.5 \u00b5s", 1.5e-6},
    {"1.5 \u03bcs", 1.5e-6}, {"600 ns", 6e-7},  {"20 ms", 0.02},      {"3 sec", 3},          {"1 second", 1},       {"90 seconds", 90},
    {"2 min", 120},       {"1 minute", 60},     {"10 minutes", 600},  {"24 h", 86400},       {"24h", 86400},        {"1 hr", 3600},
    {"1 hour", 3600},     {"8 hours", 28800},   {"30 d", 2592000},    {"30d", 2592000},      {"1 day", 86400},      {"90 days", 7776000},
    {"1 week", 604800},   {"6 weeks", 3628800}, {"1 month", 2628000}, {"36 months", 94608000}, {"1 year", 31536000}, {"5 years", 157680000},
    {"  7 s  ", 7},       {"7   s", 7},         {"\t7\ts", 7},        {"0.001 s", 0.001},    {"1000000 s", 1e6},    {"1.25e+2 ms", 0.125}};

const std::vector<Accepted> bytes{
    {"80 GiB", 85899345920.0},   {"80GiB", 85899345920.0}, {"80 GB", 80e9},    {"80GB", 80e9},         {"1 B", 1},           {"1 byte", 1},
    {"512 bytes", 512},          {"8 b", 1},               {"8 bit", 1},       {"64 bits", 8},         {"1 kB", 1000},       {"1 KiB", 1024},
    {"50 MiB", 52428800},        {"50 MB", 50e6},          {"2 TiB", 2199023255552.0}, {"3.84 TB", 3.84e12}, {"10 PB", 1e16}, {"1 EB", 1e18},
    {"192 GiB", 206158430208.0}, {"8 Gb", 1e9},            {"8 Gib", 1073741824.0},    {"8 Mbit", 1e6},  {"8 kb", 1000},      {"0.5 GiB", 536870912.0},
    {"1.5 GB", 1.5e9},           {"8 Gbits", 1e9},         {"1 Gbyte", 1e9},   {"1 Gibyte", 1073741824.0}, {"8 Tb", 1e12},    {"1 MiB", 1048576}};

const std::vector<Accepted> bytes_per_second{
    {"400 Gb/s", 50e9},        {"400Gb/s", 50e9},      {"400 Gbps", 50e9},      {"400Gbps", 50e9},      {"400 Gbit/s", 50e9},   {"50 GB/s", 50e9},
    {"50 GBps", 50e9},         {"900 GB/s", 900e9},    {"3.35 TB/s", 3.35e12},  {"3.35TB/s", 3.35e12},  {"1 B/s", 1},           {"8 b/s", 1},
    {"8 bps", 1},              {"1 Bps", 1},           {"100 Mb/s", 12.5e6},    {"100 Mbps", 12.5e6},   {"1.6 Tb/s", 200e9},    {"1.6 Tbps", 200e9},
    {"1 GiB/s", 1073741824.0}, {"1 Gib/s", 134217728.0}, {"64 GB / s", 64e9},   {"64 GB/sec", 64e9},    {"3600 GB/h", 1e9},     {"86.4 TB/d", 1e9},
    {"900 GB/s/GPU", 900e9},   {"450 GB/s/device", 450e9}, {"10 kB/s", 1e4},    {"8 kbps", 1000},       {"1 PB/s", 1e15},       {"40 MiBps", 41943040}};

const std::vector<Accepted> flops{{"1 FLOP", 1},        {"6 GFLOP", 6e9},     {"3.8e25 FLOP", 3.8e25}, {"38 YFLOP", 3.8e25}, {"1 ZFLOP", 1e21},
                                  {"1 EFLOP", 1e18},    {"5EFLOP", 5e18},     {"1 TFLOP", 1e12},       {"1 PFLOP", 1e15},    {"12 MFLOP", 12e6},
                                  {"12 kFLOP", 12e3},   {"1 flop", 1},        {"1 Gflop", 1e9}};
const std::vector<Accepted> flops_per_second{{"989 TFLOP/s", 989e12},     {"989TFLOP/s", 989e12},   {"989.4 TFLOP/s", 989.4e12}, {"1.979 PFLOP/s", 1.979e15},
                                             {"67 TFLOP/s", 67e12},       {"1 EFLOP/s", 1e18},      {"312 TFLOP/sec", 312e12},   {"1 flop/s", 1},
                                             {"989 TFLOP/s/GPU", 989e12}, {"86400 GFLOP/d", 1e9},   {"2.25 PFLOP / s", 2.25e15}};

const std::vector<Accepted> tokens{
    {"15T tokens", 15e12}, {"15T", 15e12},          {"15 T tokens", 15e12}, {"15 T", 15e12},           {"300B tokens", 300e9}, {"300B", 300e9},
    {"300G", 300e9},       {"1e12", 1e12},          {"1e12 tokens", 1e12},  {"2048 tokens", 2048},     {"1 token", 1},         {"1.5M tokens", 1.5e6},
    {"100k tokens", 1e5},  {"100k", 1e5},           {"15 Ttokens", 15e12},  {"20 Mtok", 20e6},         {"20 tok", 20},         {"15 trillion tokens", 15e12},
    {"15 trillion", 15e12}, {"300 billion tokens", 300e9}, {"7 million", 7e6}, {"0", 0},               {"4096", 4096},         {"1.4T tokens", 1.4e12}};
const std::vector<Accepted> tokens_per_second{{"1.2M tokens/s", 1.2e6}, {"500 tokens/s", 500}, {"500 tok/s", 500}, {"86.4B tokens/d", 1e6}, {"86.4B tokens/day", 1e6}, {"400 tokens/s/GPU", 400}};

const std::vector<Accepted> dollars{{"$4.6M", 4.6e6},     {"$4.6 M", 4.6e6},      {"$ 4.6M", 4.6e6},      {"4.6M USD", 4.6e6}, {"4.6M $", 4.6e6},       {"$100", 100},
                                    {"$0", 0},            {"$0.01", 0.01},        {"100 USD", 100},       {"USD 100", 100},    {"USD100", 100},         {"US$100", 100},
                                    {"$1.2B", 1.2e9},     {"$1T", 1e12},          {"$500k", 5e5},         {"$4.6 million", 4.6e6}, {"4.6 million USD", 4.6e6}, {"100 $", 100},
                                    {"100$", 100},        {"$2 billion", 2e9}};
const std::vector<Accepted> dollars_per_second{{"$2.50/h", 2.5 / 3600},       {"$2.50/hour", 2.5 / 3600},     {"2.50 USD/h", 2.5 / 3600},      {"2.50 $/h", 2.5 / 3600},
                                               {"2.50 USD/GPU-h", 2.5 / 3600}, {"2.50 USD/GPU/h", 2.5 / 3600}, {"$2.50/GPU-h", 2.5 / 3600},     {"$2.50/GPU-hour", 2.5 / 3600},
                                               {"$2.50 / h", 2.5 / 3600},     {"USD 2.50/h", 2.5 / 3600},     {"$7.2/chip-h", 0.002},          {"$3.6/device-hour", 0.001},
                                               {"$0.001/s", 0.001},           {"$31.536M/year", 1},           {"$2628/month", 0.001},          {"2.50 USD/h/GPU", 2.5 / 3600},
                                               {"$2.50/h*GPU", 2.5 / 3600},   {"$86400/day", 1}};

const std::vector<Accepted> dollars_per_joule{{"$0.09/kWh", 0.09 / 3.6e6}, {"0.09 USD/kWh", 0.09 / 3.6e6}, {"0.09 $/kWh", 0.09 / 3.6e6}, {"$90/MWh", 90 / 3.6e9}, {"$3.6/MJ", 3.6e-6}};
const std::vector<Accepted> joules{{"1 J", 1}, {"1 kJ", 1000}, {"1 kWh", 3.6e6}, {"12 MWh", 43.2e9}, {"1 GWh", 3.6e12}, {"1 Wh", 3600}, {"1 kW*h", 3.6e6}, {"1 kW-h", 3.6e6}, {"1 TWh", 3.6e15}};
const std::vector<Accepted> watts{{"700 W", 700}, {"700W", 700}, {"1.2 kW", 1200}, {"10.2kW", 10200}, {"150 MW", 150e6}, {"1 GW", 1e9}, {"700 W/GPU", 700}, {"3.6 kJ/h", 1}, {"0.5 W", 0.5}, {"1 kWh/h", 1000}};
const std::vector<Accepted> hertz{{"1.98 GHz", 1.98e9}, {"1980 MHz", 1.98e9}, {"60 Hz", 60}, {"32 kHz", 32e3}, {"1 Hz", 1}};

/// Refused as a size in bytes.
const std::vector<std::string_view> not_bytes{
    "",          " ",         "80",         "GiB",         "80 gib",     "80 gb",      "80 GIB",    "80 KB",      "80 Kb",       "80 kib",      "80 mb",
    "80 m",      "80 K",      "80 k",       "80 G",        "80 Gi",      "80 T",       "80 GB/s",   "80 Gb/s",    "80 s",        "80 h",        "$80",
    "80 USD",    "80 tokens", "80T tokens", "80 W",        "80 kWh",     "80 FLOP",    "80 TFLOP/s", "-80 GiB",   "+80 GiB",     "--80 GiB",    "nan GiB",
    "NaN",       "nan",       "inf",        "infinity B",  "-inf B",     "inf GiB",    "0x50 GiB",  "0X50GiB",    "1,000 GiB",   "1,5 GiB",     "80,0 GiB",
    "1_000 GiB", "1'000 GiB", "1 000 GiB",  "1.000.000 B", "5. GiB",     ". GiB",      "..5 GiB",   "080 GiB",    "00 B",        "1e400 B",     "1e-400 B",
    "1e308 GiB", "80 GiB GiB", "80 GiB x",  "80 GiB/",     "/GiB",       "80 /GiB",    "80 GiB*",   "80 GiB-",    "80 GiB//s",   "80 GiB+1",    "80 GiB 80 GiB",
    "80 GiBs",   "80 Gigabyte", "80 XB",    "80 ZiB",      "80 mB",      "80 uB",      "80 %",      "80 GB^2",    "80e GiB",     "80 e3 GiB",   "eighty GiB",
    "80\nGiB",   "80 GiB\n",  "80 G iB",    "80 GB GPU",   "(80 GiB)",   "80 [GiB]",   "~80 GiB",   "<80 GiB",    "80-90 GiB",   "80..90 GiB",  "80 GiB;",
    "80 GiB#",   "\"80 GiB\"", "80 \u00d7 GiB", "\u0668\u0660 GiB"};

/// Refused as a bandwidth.
const std::vector<std::string_view> not_bandwidths{
    "400",        "400 GBPS",   "400 gbps",   "400 GbPS",  "400 gBps",    "400 GB",     "400 Gb",     "400 GiB",   "400 Gb/",    "400 Gb/S",   "400 Gb/sx",  "400 Gb per s",
    "400 GT/s",   "400 G/s",    "400 Gb/s/s", "400 s/Gb",  "400 Gb s",    "400 Gb*s",   "400 mbps",   "400 MBPS",  "400 KBps",   "400 Kbps",   "400 kbPs",   "400 FLOP/s",
    "400 TFLOP/s", "400 tokens/s", "$400/s",  "400 W",     "400 Hz",      "400,5 Gb/s", "-1 Gb/s",    "1e999 Gb/s", "400 Gb/h/s", "400 GB/node/s", "400 GB/s*GPU*GPU", "400 GPU*GB/s"};

/// Refused as work or a computing rate.
const std::vector<std::string_view> not_rates{"989",         "989 TFLOPS",   "989 TFLOPs",  "989 TFlops", "989 tflops", "989 Tflops", "989 FLOPS", "989 FLOPs/s", "989 TFLOP",
                                              "989 TF",      "989 TF/s",     "989 T/s",     "989 TOPS",   "989 TOP/s",  "989 tflop/s", "989 TFLOP-s", "989 TFLOP s",  "989 TB/s",
                                              "989 TFLOP/B", "989 mFLOP/s",  "nan TFLOP/s", "989 TFLOP/token"};

/// Refused as money, a price, a power, an energy price: all of them.
const std::vector<std::string_view> never{"4.6",        "4.6M",        "$",           "$M",          "USD",           "$-5",          "-$5",         "$4.6m",       "$4.6mn",      "$4.6bn",
                                          "$1,000",     "$1,000,000",  "EUR 100",     "100 EUR",     "\u20ac100",     "100 \u20ac",   "GBP 5",       "\u00a35",     "5 GBP/h",     "$2.50/",
                                          "$2.50/H",    "$2.50/hr-",   "$2.50/node-h", "$2.50/node", "$2.50/instance-hour", "$2.50 h",  "$$2.50",      "$2.50$",      "$2.50 USD",   "USD USD 5",
                                          "700 w",      "700 mW",      "700 watts",   "700 kw",      "700 KW",        "700 VA",       "700 W/s",     "0.09/kWh",    "$0.09/kwh",   "$0.09/KWh",
                                          "$0.09 kWh",  "9 ct/kWh",    "9 c/kWh",     "$0.09/kW",  "$nan",          "$inf/h",       "$0x10",       "$1e400",      "100 GPU-h",   "100 GPU"};

/// Refused as a time.
const std::vector<std::string_view> not_times{"30",   "30 m",  "30 M",   "30 mo",  "30 D",   "30 H",    "30 S",    "30 Sec", "30 Min",  "30 y",  "30 yr", "30 w", "1h30m",  "1:30",
                                              "1 h 30 min", "30 ks", "30 Ms", "30 ps", "30 GPU-h", "30 d/", "30 GB", "30 1/s", "30 Hz", "P30D", "30 days ago"};

/// Refused as a number of tokens.
const std::vector<std::string_view> not_tokens{"15t",   "15b tokens", "15m",      "15K",     "15 Ti tokens", "15T params", "15T GPUs",  "15T tokens tokens", "15T T tokens", "-15T",
                                               "15TB",  "15 GiB",     "15,000",   "15_000",  "1.5.T",        "T",          "T tokens",  "tokens",            "15Ttokens/s",  "nan tokens",
                                               "inf",   "0xFF",       "15 words", "15T*tokens", "15/tokens"};

}  // namespace reckon::spellings
