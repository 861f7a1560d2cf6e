// The part of libsrtp 3 that mediasoup-worker uses, on top of the system's libsrtp 2.
//
// Version 3 made policies opaque objects and gave protect/unprotect a separate output buffer. Here a policy is a small object
// around version 2's struct, and protect/unprotect copy the packet to the output and then work in place as version 2 does.
// The macros at the end give these functions the names of version 3; they come last so that the code above still sees 2's.
#pragma once

#include <srtp2/srtp.h>

#include <cstdint>
#include <cstring>
#include <new>

// Two errors that only version 3 knows. Version 2 never returns them; the first is ours.
#define srtp_err_status_buffer_small static_cast<srtp_err_status_t>(100)
#define srtp_err_status_cryptex_err static_cast<srtp_err_status_t>(101)

namespace srtp3_on_srtp2
{
	struct Policy
	{
		srtp_policy_t v2{};
		// Master key and salt, one after the other as version 2 wants them.
		uint8_t key[SRTP_MAX_KEY_LEN]{};
	};

	inline srtp_err_status_t CreatePolicy(Policy** policy)
	{
		*policy = new (std::nothrow) Policy();

		return *policy ? srtp_err_status_ok : srtp_err_status_alloc_fail;
	}

	inline void DestroyPolicy(Policy* policy)
	{
		// Keys do not stay in freed memory; through volatile, so that the compiler may not leave it out.
		if (policy)
		{
			volatile uint8_t* key = policy->key;

			for (size_t i{ 0 }; i < sizeof(policy->key); ++i)
			{
				key[i] = 0;
			}
		}

		delete policy;
	}

	inline srtp_err_status_t SetSsrc(Policy* policy, srtp_ssrc_t ssrc)
	{
		policy->v2.ssrc = ssrc;

		return srtp_err_status_ok;
	}

	inline srtp_err_status_t SetProfile(Policy* policy, srtp_profile_t profile)
	{
		const auto status = srtp_crypto_policy_set_from_profile_for_rtp(&policy->v2.rtp, profile);

		return status == srtp_err_status_ok
		         ? srtp_crypto_policy_set_from_profile_for_rtcp(&policy->v2.rtcp, profile)
		         : status;
	}

	// The last two (a master key identifier) are not used by mediasoup.
	inline srtp_err_status_t AddKey(
	  Policy* policy, const uint8_t* key, size_t keyLen, const uint8_t* salt, size_t saltLen, const uint8_t*, size_t)
	{
		if (keyLen + saltLen > sizeof(policy->key))
		{
			return srtp_err_status_bad_param;
		}

		std::memcpy(policy->key, key, keyLen);
		std::memcpy(policy->key + keyLen, salt, saltLen);
		policy->v2.key = policy->key;

		return srtp_err_status_ok;
	}

	inline srtp_err_status_t SetAllowRepeatTx(Policy* policy, bool allow)
	{
		policy->v2.allow_repeat_tx = allow;

		return srtp_err_status_ok;
	}

	inline srtp_err_status_t SetWindowSize(Policy* policy, unsigned long size)
	{
		policy->v2.window_size = size;

		return srtp_err_status_ok;
	}

	inline srtp_err_status_t Create(srtp_t* session, const Policy* policy)
	{
		return ::srtp_create(session, &policy->v2);
	}

	using InPlace = srtp_err_status_t (*)(srtp_t, void*, int*);

	// `room`: what the output must be able to hold. On success `outLen` becomes what it does hold.
	inline srtp_err_status_t Work(
	  InPlace inPlace, srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t room)
	{
		if (*outLen < room)
		{
			return srtp_err_status_buffer_small;
		}

		if (in != out)
		{
			std::memcpy(out, in, inLen);
		}

		int len          = static_cast<int>(inLen);
		const auto status = inPlace(session, out, &len);

		if (status == srtp_err_status_ok)
		{
			*outLen = static_cast<size_t>(len);
		}

		return status;
	}

	// What protecting can add: authentication tag and key identifier, and the SRTCP index (RFC 3711 §3.4).
	constexpr size_t Growth{ SRTP_MAX_TRAILER_LEN + 4 };

	inline srtp_err_status_t Protect(srtp_t s, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t)
	{
		return Work(&::srtp_protect, s, in, inLen, out, outLen, inLen + Growth);
	}

	inline srtp_err_status_t ProtectRtcp(srtp_t s, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t)
	{
		return Work(&::srtp_protect_rtcp, s, in, inLen, out, outLen, inLen + Growth);
	}

	inline srtp_err_status_t Unprotect(srtp_t s, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
	{
		return Work(&::srtp_unprotect, s, in, inLen, out, outLen, inLen);
	}

	inline srtp_err_status_t UnprotectRtcp(srtp_t s, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
	{
		return Work(&::srtp_unprotect_rtcp, s, in, inLen, out, outLen, inLen);
	}
} // namespace srtp3_on_srtp2

#define srtp_policy_t srtp3_on_srtp2::Policy*
#define srtp_policy_create srtp3_on_srtp2::CreatePolicy
#define srtp_policy_destroy srtp3_on_srtp2::DestroyPolicy
#define srtp_policy_set_ssrc srtp3_on_srtp2::SetSsrc
#define srtp_policy_set_profile srtp3_on_srtp2::SetProfile
#define srtp_policy_add_key srtp3_on_srtp2::AddKey
#define srtp_policy_set_allow_repeat_tx srtp3_on_srtp2::SetAllowRepeatTx
#define srtp_policy_set_window_size srtp3_on_srtp2::SetWindowSize
#define srtp_create srtp3_on_srtp2::Create
#define srtp_protect srtp3_on_srtp2::Protect
#define srtp_protect_rtcp srtp3_on_srtp2::ProtectRtcp
#define srtp_unprotect srtp3_on_srtp2::Unprotect
#define srtp_unprotect_rtcp srtp3_on_srtp2::UnprotectRtcp
#define srtp_stream_remove srtp_remove_stream
